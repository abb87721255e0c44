#include "sim/trace.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/file.h"
#include "core/reader.h"
#include "tests/programs.h"

namespace forerun::sim {
namespace {

/// Two ranks, two micro-batches of two layers, with everything that a trace shows.
Program small_program() {
  Program p = pipeline_program({PipelineSchedule::one_forward_one_backward, 2, 1, 2},
                               {.forward = 1'234'567,
                                .backward = 2'345'678,
                                .layers = 2,
                                .exchange = 100'001,
                                .message = 50'500,
                                .host = 10'000});
  p.labels[0].shape = "m 4096, \"n\" 8192";
  for (std::size_t r = 0; r < 2; ++r) {
    for (Operation& o : p.ranks[r].operations) {
      if (o.stream == StreamKind::tensor) o.tax = 10;
    }
  }
  for (int r = 0; r < 2; ++r) add(p, r, awaited(meeting(waiting(data(7'000), 3), p.channels)));
  ++p.channels;
  for (int r = 0; r < 2; ++r) add(p, r, on(StreamKind::compute, 333'333, Category::optimizer));
  return p;
}

struct Event {
  std::string name, phase, category;
  std::int64_t process = 0, thread = 0;
  double begin = 0, duration = 0;
};

/// The events of a trace, read strictly: every field that the format asks for, and no other.
std::vector<Event> read_events(const std::string& text) {
  Problems problems;
  JsonDocument document = JsonDocument::parse(text, problems);
  Reader top = document.root(problems);
  CHECK(top.text("displayTimeUnit") == "ns");
  top.object("otherData");
  std::vector<Event> events;
  for (Reader& e : top.objects("traceEvents")) {
    Event event;
    event.name = e.text("name");
    event.phase = e.text("ph");
    event.process = e.integer("pid", 0, 1000000);
    const bool of_process = event.name == "process_name" || event.name == "process_sort_index";
    if (!of_process) event.thread = e.integer("tid", 1, kStreams + 1);
    if (event.phase == "X") event.duration = e.number("dur", 0, 1e15);
    if (event.phase != "M") {
      event.begin = e.number("ts", 0, 1e15);
      event.category = e.text("cat");
    }
    if (event.phase == "X" || event.phase == "M") e.object("args");
    if (event.phase == "s" || event.phase == "f") e.integer("id", 0, 1000000);
    if (event.phase == "f") CHECK(e.text("bp") == "e");
    e.finish();
    events.push_back(event);
  }
  top.finish();
  CHECK(problems.text("trace") == "");
  return events;
}

std::string trace_of(const Program& p) { return chrome_trace(p, execute(p), {{"seed", "1"}}); }

}  // namespace

TEST_SUITE("sim/trace") {
  TEST_CASE("a trace keeps the rules of the format") {
    const Program p = small_program();
    const std::vector<Event> events = read_events(trace_of(p));
    std::map<std::pair<std::int64_t, std::int64_t>, double> until, seen;
    std::set<std::pair<std::int64_t, std::int64_t>> named;
    std::set<std::int64_t> processes;
    std::size_t slices = 0, begun = 0, finished = 0;
    for (const Event& e : events) {
      const auto track = std::pair(e.process, e.thread);
      if (e.name == "process_name") processes.insert(e.process);
      if (e.name == "thread_name") named.insert(track);
      if (e.phase == "M") continue;
      CHECK(processes.count(e.process) == 1);
      CHECK(named.count(track) == 1);
      CHECK(e.begin >= seen[track]);  // monotone in each thread
      seen[track] = e.begin;
      if (e.phase == "X") {
        CHECK(e.begin >= until[track] - 1e-6);  // no overlap: a double's last digit is forgiven
        until[track] = e.begin + e.duration;
        if (e.category != "idle") ++slices;
      }
      if (e.phase == "s") ++begun;
      if (e.phase == "f") ++finished;
    }
    CHECK(slices == p.ranks[0].operations.size() + p.ranks[1].operations.size());
    CHECK(begun == 4);  // two micro-batches forward and backward
    CHECK(finished == 4);
  }

  TEST_CASE("dates are whole nanoseconds, cut, so that what touches still touches") {
    // 1,999 ps, then 2 ps: 0.001 us and, from 1.999 to 2.001 ns, one nanosecond.
    Program p = empty_program(1);
    add(p, 0, compute(1'999));
    add(p, 0, compute(2));
    add(p, 0, compute(9'007'199'254'740'993'001));  // above 2^53: a double would round
    const std::string text = trace_of(p);
    CHECK(text.find("\"ts\":0.000,\"dur\":0.001") != std::string::npos);
    CHECK(text.find("\"ts\":0.001,\"dur\":0.001") != std::string::npos);
    CHECK(text.find("\"ts\":0.002,\"dur\":9007199254740.993") != std::string::npos);
  }

  TEST_CASE("names are escaped") {
    Program p = empty_program(1);
    p.ranks[0].name = "a \"b\" \\ \n µ";
    add(p, 0, compute(1));
    const std::string text = trace_of(p);
    CHECK(text.find("a \\\"b\\\" \\\\ \\n µ") != std::string::npos);
    read_events(text);
  }

  TEST_CASE("kernels of experts say their copies and load, and what the others of the group wait") {
    Program p = empty_program(1);
    p.labels.push_back({.name = "experts up", .rows = 5120, .load = 1.25});
    p.labels.push_back({.name = "up, image", .modality = "image"});
    Operation experts = compute(1'000'000);
    experts.label = 1;
    Operation tower = compute(1'000'000);
    tower.label = 2;
    add(p, 0, tower);
    add(p, 0, experts);
    const std::string text = trace_of(p);
    CHECK(text.find("\"copies_of_tokens\":5120,\"load\":1.250") != std::string::npos);
    CHECK(text.find("\"modality\":\"image\"") != std::string::npos);
    // From 1 / 1.25 of a microsecond on.
    CHECK(text.find("{\"name\":\"imbalance\",\"ph\":\"X\",\"cat\":\"idle\",\"pid\":0,\"tid\":8,"
                    "\"ts\":1.800,\"dur\":0.200,\"args\":{\"waited_for\":\"experts up\"}}") !=
          std::string::npos);
    // Even ones have no such thread.
    p.labels[1].load = 1;
    CHECK(trace_of(p).find("imbalance") == std::string::npos);
  }

  TEST_CASE("waiting for the same stage of another lane is imbalance, for another stage is not") {
    Program p = empty_program(2, 1);
    add(p, 0, compute(1'000'000));
    add(p, 1, compute(3'000'000));
    for (int r = 0; r < 2; ++r) add(p, r, awaited(meeting(waiting(data(7'000), 0), 0)));
    for (int r = 0; r < 2; ++r) add(p, r, compute(1'000));
    const std::string lanes = trace_of(p);
    CHECK(lanes.find(
              "\"name\":\"imbalance\",\"ph\":\"X\",\"cat\":\"idle\",\"pid\":0,\"tid\":7,"
              "\"ts\":1.000,\"dur\":2.000,\"args\":{\"waited_for\":\"work\",\"of\":\"stage 1\"") !=
          std::string::npos);
    p.ranks[0].stage = 0;
    p.ranks[1].stage = 1;
    CHECK(trace_of(p).find("{\"name\":\"imbalance\"") == std::string::npos);
  }

  TEST_CASE("the trace of a small pipeline is the golden one") {
    const std::string path = data_path("sim/testdata/pipeline.trace.json");
    const std::string text = trace_of(small_program());
    const std::string golden =
        std::filesystem::exists(path) ? read_file(path, kMaxJsonBytes) : std::string();
    if (text != golden) {
      write_file(path + ".new", text);
      FAIL_CHECK(fmt::format("file://{} differs from file://{}.new", path, path));
    }
  }
}

}  // namespace forerun::sim
