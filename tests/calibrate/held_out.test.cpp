/// `forerun calibrate` on published logs: curves are made of every other size, and the sizes
/// between are predicted. Prints the error of every log.

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "core/file.h"
#include "core/reader.h"
#include "core/table.h"
#include "hw/calibrate/calibration.h"
#include "hw/collective.h"
#include "tests/calibrate/sample_logs.h"

using namespace forerun;
using namespace forerun::hw;
using namespace forerun::testing;

namespace {

struct Case {
  const char *log, *network;
  std::int64_t ranks, per_domain;
  double most;  ///< of the median error
};

constexpr double kAim = 0.08;
// The excerpt has six sizes from 64 MiB to 2 GiB, between which its times jump (3.0 to 3.6 ms from
// 256 to 512 MiB): three points cannot tell that.
constexpr double kExcerpt = 0.20;

constexpr Case kCases[] = {
    {"a100_sxm4_40g_8gpu_allreduce.log", "dgx-a100", 8, 8, kAim},
    {"a100_sxm4_40g_8gpu_allgather.log", "dgx-a100", 8, 8, kAim},
    {"a100_sxm4_40g_8gpu_reducescatter.log", "dgx-a100", 8, 8, kAim},
    {"a100_sxm4_40g_8gpu_alltoall.log", "dgx-a100", 8, 8, kAim},
    {"a100_sxm4_40g_8gpu_broadcast.log", "dgx-a100", 8, 8, kAim},
    {"aws_p4de_a100_80g_2node_16gpu_allreduce.log", "aws-p4de", 16, 8, kAim},
    {"aws_p5_h100_1node_8gpu_allreduce.log", "aws-p5", 8, 8, kAim},
    {"aws_p5_h100_2node_16gpu_allreduce.log", "aws-p5", 16, 8, kAim},
    {"aws_p5_h100_2node_16gpu_allreduce_eks_excerpt.log", "aws-p5", 16, 8, kExcerpt},
    {"aws_p5en_h200_16node_128gpu_allreduce_excerpt.log", "aws-p5en", 128, 8, kAim},
    {"coreweave_h100_labelled64_allreduce.log", "dgx-h100", 96, 8, kAim},
    {"coreweave_gb200_1rack_allreduce.log", "gb200-nvl72", 72, 72, kAim},
    {"coreweave_gb200_2rack_labelled144_allreduce.log", "gb200-nvl72", 128, 64, kAim},
    {"coreweave_gb200_20rack_allreduce.log", "gb200-nvl72", 1440, 72, kAim},
};

std::string network_text(const std::string& name) {
  return read_file(data_path("hw/profiles/networks/" + name + ".json"), kMaxJsonBytes);
}

}  // namespace

TEST_SUITE("calibrate/held out") {
  TEST_CASE("sizes between those of the curve: median error at most 8 %, each log") {
    Table table({{"log", Table::Align::left},
                 {"ranks", Table::Align::right},
                 {"used", Table::Align::right},
                 {"left out", Table::Align::right},
                 {"profile: median", Table::Align::right},
                 {"calibrated: median", Table::Align::right},
                 {"p95", Table::Align::right}});
    for (const Case& c : kCases) {
      CAPTURE(c.log);
      Problems problems;
      auto log = read_log(log_path(std::string("nccl_tests/") + c.log), problems);
      REQUIRE_MESSAGE(log.has_value(), problems.text(c.log));
      std::vector<TimedCollective> used, left;
      const std::size_t count = log->collectives.size();
      for (std::size_t i = 0; i < count; ++i) {
        const bool keep = i % 2 == 0 || i + 1 == count;
        (keep ? used : left).push_back(log->collectives[i]);
      }
      REQUIRE(!left.empty());
      log->collectives = used;
      const std::string old_text = network_text(c.network);
      const Calibration made = calibrate_network(old_text, {*log}, problems);
      REQUIRE_MESSAGE(problems.empty(), problems.text(c.log));
      const auto network = read_network(made.profile, problems);
      REQUIRE_MESSAGE(network.has_value(), problems.text("the new profile"));
      const Network old = load_network(c.network);
      std::vector<double> before, after;
      for (const TimedCollective& t : left) {
        CHECK(t.ranks == c.ranks);
        const Group g{c.ranks, c.per_domain, 1};
        before.push_back(collective_time(t.kind, t.bytes, g, old).time / t.time - 1);
        after.push_back(collective_time(t.kind, t.bytes, g, *network).time / t.time - 1);
      }
      const ErrorSummary b = summary(before), a = summary(after);
      table.row({c.log, std::to_string(c.ranks), std::to_string(used.size()),
                 std::to_string(left.size()), show_percent(b.median), show_percent(a.median),
                 show_percent(a.p95)});
      CHECK(a.median <= c.most);
    }
    fmt::print("{}\n", table.text());
  }

  TEST_CASE("a measured size is predicted as measured, and says so") {
    Problems problems;
    const auto log =
        read_log(log_path("nccl_tests/aws_p5_h100_2node_16gpu_allreduce.log"), problems);
    REQUIRE(log);
    const Calibration made = calibrate_network(network_text("aws-p5"), {*log}, problems);
    const auto network = read_network(made.profile, problems);
    REQUIRE_MESSAGE(network, problems.text("profile"));
    const CollectiveTime t =
        collective_time(CollectiveKind::all_reduce, 1024.0_MiB, {16, 8, 1}, *network);
    CHECK(t.evidence == DurationEvidence::measured);
    const auto row = std::ranges::find(log->collectives, 1024.0_MiB, &TimedCollective::bytes);
    REQUIRE(row != log->collectives.end());
    CHECK(t.time / row->time == doctest::Approx(1).epsilon(1e-4));
    CHECK(network->evidence.at("collectives") == Evidence::measured);
    CHECK(network->source.at("collectives") == "aws_p5_h100_2node_16gpu_allreduce.log");
    // Another number of nodes takes the model in the ratio measured there; a group that shares the
    // NICs too.
    const Network old = load_network("aws-p5");
    const double ratio =
        t.time / collective_time(CollectiveKind::all_reduce, 1024.0_MiB, {16, 8, 1}, old).time;
    for (const Group g : {Group{64, 8, 1}, Group{16, 8, 2}}) {
      const auto now = collective_time(CollectiveKind::all_reduce, 1024.0_MiB, g, *network);
      const auto then = collective_time(CollectiveKind::all_reduce, 1024.0_MiB, g, old);
      CHECK(now.time / then.time == doctest::Approx(ratio));
      CHECK(now.evidence == DurationEvidence::modelled);
    }
    // What was not measured is as before.
    CHECK(collective_time(CollectiveKind::all_gather, 1024.0_MiB, {16, 8, 1}, *network).time ==
          collective_time(CollectiveKind::all_gather, 1024.0_MiB, {16, 8, 1}, old).time);
  }

  TEST_CASE("calibrating again with other ranks keeps the first curves") {
    Problems problems;
    const auto one =
        read_log(log_path("nccl_tests/aws_p5_h100_1node_8gpu_allreduce.log"), problems);
    const auto two =
        read_log(log_path("nccl_tests/aws_p5_h100_2node_16gpu_allreduce.log"), problems);
    REQUIRE(one);
    REQUIRE(two);
    const std::string first = calibrate_network(network_text("aws-p5"), {*one}, problems).profile;
    const std::string second = calibrate_network(first, {*two}, problems).profile;
    const std::string both =
        calibrate_network(network_text("aws-p5"), {*one, *two}, problems).profile;
    REQUIRE(problems.empty());
    const auto a = read_network(second, problems), b = read_network(both, problems);
    REQUIRE(a);
    REQUIRE(b);
    REQUIRE(a->measured.size() == 2);
    REQUIRE(b->measured.size() == 2);
    for (const Group g : {Group{8, 8, 1}, Group{16, 8, 1}}) {
      for (const Bytes size : {Bytes(3000.0), 5.0_MiB, 700.0_MiB, 20.0_GiB}) {
        CHECK(collective_time(CollectiveKind::all_reduce, size, g, *a).time /
                  collective_time(CollectiveKind::all_reduce, size, g, *b).time ==
              doctest::Approx(1).epsilon(1e-4));
      }
    }
  }
}
