/// Mistakes planted in copies of published logs: each is found and named by file and line.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/file.h"
#include "core/reader.h"
#include "hw/calibrate/calibration.h"
#include "tests/calibrate/sample_logs.h"

using namespace forerun;
using namespace forerun::hw;
using namespace forerun::testing;

namespace {

/// What calibrating `profile` says of this text, all of it.
std::string refusal(const std::string& text, const std::string& file,
                    const std::string& profile = "networks/aws-p5") {
  REQUIRE_MESSAGE(!text.empty(), "the text to replace is not in the log");
  Problems problems;
  const auto log = read_log_text(text, file, problems);
  if (log) {
    const std::string old = read_file(data_path("hw/profiles/" + profile + ".json"), kMaxJsonBytes);
    if (profile.starts_with("networks")) {
      (void)calibrate_network(old, {*log}, problems);
    } else {
      (void)calibrate_accelerator(old, {*log}, problems);
    }
  }
  std::string all;
  for (const Problem& p : problems.list()) all += p.where + ": " + p.what + "\n";
  return all;
}

void check_says(const std::string& all, const std::vector<std::string>& parts) {
  CAPTURE(all);
  for (const std::string& part : parts) CHECK_MESSAGE(all.find(part) != all.npos, part);
}

const std::string kTwoNodes = "nccl_tests/aws_p5_h100_2node_16gpu_allreduce.log";
const std::string kNode = "nccl_tests/aws_p5_h100_1node_8gpu_allreduce.log";
const std::string kA100 = "nccl_tests/a100_sxm4_40g_8gpu_allgather.log";

}  // namespace

TEST_SUITE("calibrate/mistakes") {
  TEST_CASE("the logs themselves have none") {
    CHECK(refusal(log_text(kTwoNodes), "p5.log").empty());
    CHECK(refusal(log_text(kNode), "p5.log").empty());
    CHECK(refusal(log_text(kA100), "all_gather.log", "networks/dgx-a100").empty());
    CHECK(refusal(log_text("others/nccl_tests_v3_allreduce.json"), "p5.json").empty());
  }

  TEST_CASE("a time in another unit is told by the columns beside it") {
    const std::string log = log_text(kTwoNodes);
    check_says(refusal(replaced_once(log, "17286  248.46", "17.286  248.46"), "p5.log"),
               {"p5.log:", "algorithm bandwidth is printed as 248.5 GB/s", "time were in ms"});
    check_says(refusal(replaced_once(log, "(us)", "(ms)"), "p5.log"), {"p5.log:2", "unit (ms)"});
    check_says(refusal(replaced_once(log_text("others/nccl_tests_v3_allreduce.json"),
                                     "\"time\": 62239.0", "\"time\": 62.239"),
                       "p5.json"),
               {"p5.json:/results/15", "time were in ms"});
  }

  TEST_CASE("an edited bandwidth, size or count disagrees with the rest of its row") {
    const std::string log = log_text(kTwoNodes);
    check_says(refusal(replaced_once(log, "248.46  465.87", "284.46  465.87"), "p5.log"),
               {"p5.log:", "printed as 284.5 GB/s"});
    check_says(refusal(replaced_once(log, "248.46  465.87", "248.46  495.87"), "p5.log"),
               {"p5.log:", "bus over algorithm bandwidth means"});
    check_says(refusal(replaced_once(log, " 4294967296    1073741824", " 4294967296    1073741828"),
                       "p5.log"),
               {"p5.log:", "4294967296 bytes are not 1073741828 elements of float"});
    check_says(
        refusal(replaced_once(log, "259.78  487.09      0", "259.78  487.09      7"), "p5.log"),
        {"7 values of the out-of-place result are wrong"});
  }

  TEST_CASE("a row that agrees with itself and is faster than the links") {
    check_says(
        refusal(replaced_once(log_text(kTwoNodes), "17286  248.46  465.87", "1728.6 2484.6 4658.7"),
                "p5.log"),
        {"p5.log:", "all_reduce of 4 GiB between 16 ranks in 1.73 ms",
         "the links of aws-p5 allow no less than 10.7 ms"});
  }

  TEST_CASE("no number where one belongs") {
    const std::string log = log_text(kTwoNodes);
    check_says(refusal(replaced_once(log, "17286  248.46", "nan  248.46"), "p5.log"),
               {"time nan: expected a number"});
    check_says(refusal(replaced_once(log, "17286  248.46", "-17286  248.46"), "p5.log"),
               {"time -17286 us: expected more than zero"});
    check_says(refusal(replaced_once(log, "17286  248.46", "17286  inf"), "p5.log"),
               {"algorithm bandwidth inf: expected a number"});
    check_says(refusal(replaced_once(log_text("others/nccl_tests_v3_allreduce.json"),
                                     "\"time\": 62239.0", "\"time\": \"nan\""),
                       "p5.json"),
               {"/results/15/out_of_place/time", "\"nan\""});
  }

  TEST_CASE("runs of different ranks in one file") {
    std::string mixed = log_text(kNode);
    const std::string other = log_text(kTwoNodes);
    mixed += other.substr(other.find("0:   1073741824"));
    check_says(refusal(mixed, "p5.log"),
               {"p5.log:", "8.0 ranks", "16.0 ranks", "runs of different ranks in one file"});
    check_says(refusal(log_text(kNode) + other, "p5.log"), {"a second table begins"});
  }

  TEST_CASE("a log that was cut off") {
    const std::string log = log_text(kTwoNodes);
    const std::string inside = log.substr(0, log.find("259.78") + 3);
    check_says(refusal(inside, "p5.log"), {"the log ends inside this row: it was cut off"});
    const std::string old = log_text(kA100);
    const std::string rows = old.substr(0, old.find("\n  1073741824") + 1);
    check_says(refusal(rows, "all_gather.log", "networks/dgx-a100"),
               {"all_gather.log: the header announces sizes up to 8589934592 bytes"});
    const std::string json = log_text("others/nccl_tests_v3_allreduce.json");
    check_says(refusal(json.substr(0, json.size() / 2), "p5.json"), {"p5.json:"});
    const std::string trace = log_text("others/kineto.json");
    check_says(refusal(trace.substr(0, trace.size() / 2), "t.json", "accelerators/h100-sxm-80gb"),
               {"t.json: the trace is not whole JSON"});
    const std::string mamf = log_text("others/mamf_v3_h200.log");
    check_says(refusal(mamf.substr(0, mamf.find("** Results")), "m.log", "accelerators/h200-sxm"),
               {"m.log: the results", "cut off"});
    const std::string copies = log_text("others/nvbandwidth_gh200.log");
    check_says(refusal(copies.substr(0, copies.find("SUM host_to_device_memcpy_ce")), "n.log"),
               {"n.log:10", "its SUM is missing: the log was cut off"});
    const std::string table = log_text("others/cutlass_profiler.csv");
    check_says(refusal(table.substr(0, table.size() - 40), "c.csv", "accelerators/a100-sxm-80gb"),
               {"c.csv:5", "cells"});
  }

  TEST_CASE("sizes of zero") {
    check_says(refusal("# size count type time algbw busbw error time algbw busbw error\n"
                       "0 0 float 33.4 0.00 0.00 N/A 33.4 0.00 0.00 N/A\n",
                       "all_gather.log"),
               {"all_gather.log: all 1 rows have size 0"});
  }

  TEST_CASE("what is not told is asked for, and a name that the columns deny is refused") {
    check_says(refusal(log_text(kA100), "results.log", "networks/dgx-a100"),
               {"which collective ran is not told", "name the file after it"});
    check_says(refusal(log_text(kTwoNodes), "all_gather.log"),
               {"the file's name says all_gather, but"});
    check_says(refusal(log_text(kTwoNodes), "reduce_scatter.log"), {"that of an all-reduce"});
    const std::string log = log_text(kA100);
    std::string nameless;
    for (std::size_t at = 0; at < log.size();) {
      const std::size_t end = log.find('\n', at) + 1;
      const std::string line = log.substr(at, end - at);
      if (line.find("Rank") == line.npos && line.find("maxBytes") == line.npos) nameless += line;
      at = end;
    }
    // All-gather's factor is 7/8 in every row, which eight ranks have alone.
    CHECK(refusal(nameless, "all_gather.log", "networks/dgx-a100").empty());
    const std::string broadcast = log_text("nccl_tests/a100_sxm4_40g_8gpu_broadcast.log");
    std::string unlisted = broadcast;
    for (std::size_t at; (at = unlisted.find("#   Rank")) != unlisted.npos;) {
      unlisted.erase(at, unlisted.find('\n', at) + 1 - at);
    }
    check_says(refusal(unlisted, "broadcast.log", "networks/dgx-a100"),
               {"how many ranks ran is not told"});
  }

  TEST_CASE("a log of another machine or tool") {
    check_says(refusal(log_text(kA100), "all_gather.log"),
               {"all_gather.log: the log is of \"A100-SXM4-40GB\", the profile of h100"});
    check_says(
        refusal(log_text("others/mamf_v2_gfx1151.log"), "m.log", "accelerators/h100-sxm-80gb"),
        {"20 multiprocessors, the profile's 132"});
    check_says(refusal("BabelStream\nVersion: 3.3\n", "b.txt"),
               {"b.txt: looks like BabelStream; read are logs of "});
    check_says(refusal(std::string("\0\0\0", 3), "b.bin"), {"not a text file"});
    check_says(refusal("\x1f\x8b\x08 algbw", "b.gz"), {"gunzip"});
    check_says(refusal("m,n,k,dtype,latency_us\n1,1,1,bf16,3\n", "t.csv"),
               {"a table of kernel times"});
    check_says(refusal(" \n\n", "e.log"), {"e.log: the file is empty"});
  }

  TEST_CASE("rates above the peak, and a peak with sparsity") {
    const std::string mamf = log_text("others/mamf_v3_h200.log");
    check_says(refusal(replaced_once(mamf, "828.4  828.6", "828.4  1828.6"), "m.log",
                       "accelerators/h200-sxm"),
               {"m.log:3", "is above the peak of 989 TFLOP/s", "a peak with sparsity?"});
    check_says(refusal(replaced_once(mamf, "842.3   172", "-842.3   172"), "m.log",
                       "accelerators/h200-sxm"),
               {"m.log:15", "-842.3 TFLOPS: expected a number above zero"});
    check_says(refusal(replaced_once(mamf, "MAMF (max achievable,  boost burst): 842",
                                     "MAMF (max achievable,  boost burst): 862"),
                       "m.log", "accelerators/h200-sxm"),
               {"862 TFLOPS @ 3072x2816x20480, but the table above has 842.3"});
  }

  TEST_CASE("cutlass_profiler's columns are held against each other") {
    const std::string table = log_text("others/cutlass_profiler.csv");
    const std::string profile = "accelerators/a100-sxm-80gb";
    CHECK(refusal(table, "c.csv", profile).empty());
    check_says(refusal(replaced_once(table, "62.6346", "0.0626346"), "c.csv", profile),
               {"c.csv:2", "as if the run time were in s"});
    check_says(refusal(replaced_once(table, "8192,8192,8192", "8192,8192,4096"), "c.csv", profile),
               {"c.csv:2", "but 8192 x 8192 x 4096 have"});
  }

  TEST_CASE("nvbandwidth's sums and links") {
    const std::string peers = log_text("others/nvbandwidth_peers.json");
    CHECK(refusal(peers, "n.json").empty());
    check_says(refusal(replaced_once(peers, "\"374.00\"", "\"3.74\""), "n.json"),
               {"n.json:/nvbandwidth/testcases/0", "a part of the matrix is missing or edited"});
    check_says(refusal(replaced_once(peers, "\"374.00\"", "\"nan\""), "n.json"),
               {"cell nan: expected a number or N/A"});
    const std::string host = log_text("others/nvbandwidth_gh200.log");
    check_says(refusal(host, "n.log", "networks/gb200-nvl72"),
               {"the log is of \"NVIDIA GH200 480GB (00000009:01:00)\", the profile of gb200"});
    check_says(refusal(host, "n.log", "networks/gh200-quad"),
               {"nothing in these logs is in a network profile"});
  }

  TEST_CASE("a trace's sizes and durations") {
    const std::string trace = log_text("others/kineto.json");
    const std::string profile = "accelerators/h100-sxm-80gb";
    CHECK(refusal(trace, "t.json", profile).empty());
    check_says(
        refusal(replaced_once(trace, "\"dur\": 372.0", "\"dur\": 0.372"), "t.json", profile),
        {"t.json:/traceEvents/", "is above the peak of 989 TFLOP/s", "as if the time were in ms"});
    check_says(
        refusal(replaced_once(trace, "\"dur\": 372.0", "\"dur\": -372.0"), "t.json", profile),
        {"expected a duration of at least zero us"});
    check_says(refusal(replaced_once(trace, "\"dur\": 715.0", "\"dur\": 71.5"), "t.json", profile),
               {"copy in device memory", "above half of the memory's"});
    check_says(
        refusal(replaced_once(trace, "\"numSms\": 132", "\"numSms\": 114"), "t.json", profile),
        {"has 114 multiprocessors, the profile's 132"});
  }

  TEST_CASE("a dtype that is cut off, and sizes beyond any device's") {
    const std::string profile = "accelerators/h200-sxm";
    const std::string mamf = log_text("others/mamf_v3_h200.log");
    check_says(refusal("Dtype: torch.\n" + mamf, "m.log", profile), {"m.log: dtype "});
    const std::string lines = "Grid search\n1 2147483648x1024x1024 700 700 700\n";
    check_says(refusal(mamf + lines, "m.log", profile),
               {"shape 2147483648x1024x1024: expected sizes of at most 1073741824"});
  }

  TEST_CASE("what begins as a row and is none, ranks beyond count, a launcher's prefix cut off") {
    const std::string log = log_text(kTwoNodes);
    check_says(refusal(replaced_once(log, " 4294967296    1073741824",
                                     " 21474836480000000000000    1073741824"),
                       "p5.log"),
               {"p5.log:32: 21474836480000000000000: no row of the table"});
    check_says(
        refusal("# Rank 9223372036854775807 Pid 1 on a device 0 [0x00] H100\n" + log, "p5.log"),
        {"p5.log:1: rank 9223372036854775807: expected 0 to 1048575"});
    const std::string head =
        "# size count type redop root time algbw busbw #wrong time algbw busbw #wrong\n";
    const std::string row =
        "67108864 16777216 float sum -1 330 203.36 355.88 0 330 203.36 355.88 0\n";
    for (const std::string prefix : {"0: ", "[1,0]<stdout>:"}) {
      const std::string all = prefix + head + prefix + row;
      CHECK(refusal(all, "all_reduce.log").empty());
      for (std::size_t cut = 1; cut <= prefix.size(); ++cut) {
        CAPTURE(cut);
        check_says(refusal(all + prefix.substr(0, cut), "all_reduce.log"),
                   {"all_reduce.log:3: the log ends inside this row"});
      }
    }
  }

  TEST_CASE("files that would take too much memory") {
    const std::string json = log_text("others/nccl_tests_v3_allreduce.json");
    check_says(refusal(json + std::string(kJsonLogLimit, ' '), "p5.json"),
               {"p5.json: ", "bytes of JSON: read are at most 8 MiB"});
    CHECK(refusal(log_text("others/kineto.json") + std::string(kJsonLogLimit, '\n'), "t.json",
                  "accelerators/h100-sxm-80gb")
              .empty());
    check_says(refusal(log_text(kTwoNodes) + std::string(kMostLogLines, '\n'), "p5.log"),
               {"p5.log: more than 1000000 lines"});
  }

  TEST_CASE("another board of the same device") {
    const std::string log = log_text(kA100);
    check_says(refusal(log, "all_gather.log", "networks/a100-pcie"),
               {"the log is of \"A100-SXM4-40GB\", the profile of a100-pcie: another board"});
    const std::string trace = log_text("others/kineto.json");
    const std::string nvl = replaced_once(trace, "H100 80GB HBM3", "H100 NVL");
    check_says(refusal(nvl, "t.json", "accelerators/h100-sxm-80gb"),
               {"t.json: the log is of \"NVIDIA H100 NVL\"", "another board"});
  }
}
