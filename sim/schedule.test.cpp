#include "sim/schedule.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "tests/programs.h"

namespace forerun::sim {
namespace {

using hw::Pass;
constexpr auto kGpipe = PipelineSchedule::all_forward_all_backward;
constexpr auto kOneOne = PipelineSchedule::one_forward_one_backward;
constexpr auto kInterleaved = PipelineSchedule::interleaved;

/// "F0 F1 B0": pass and micro-batch, with the chunk after a point when there are several.
std::string drawn(const PipelineShape& s, std::int64_t rank) {
  std::string text;
  for (const ScheduledPass& p : rank_schedule(s, rank)) {
    if (!text.empty()) text += ' ';
    text += p.pass == Pass::forward ? 'F' : 'B';
    text += std::to_string(p.micro_batch);
    if (s.virtual_stages > 1) text += '.' + std::to_string(p.chunk);
  }
  return text;
}

}  // namespace

TEST_SUITE("sim/schedule") {
  TEST_CASE("GPipe runs all forward passes, then all backward passes") {
    const PipelineShape s{kGpipe, 2, 1, 3};
    CHECK(drawn(s, 0) == "F0 F1 F2 B0 B1 B2");
    CHECK(drawn(s, 1) == drawn(s, 0));
  }

  TEST_CASE("1F1B warms up with one pass for each rank that follows") {
    // Narayanan 2021, Figure 3, with 3 ranks and 4 micro-batches.
    const PipelineShape s{kOneOne, 3, 1, 4};
    CHECK(drawn(s, 0) == "F0 F1 F2 B0 F3 B1 B2 B3");
    CHECK(drawn(s, 1) == "F0 F1 B0 F2 B1 F3 B2 B3");
    CHECK(drawn(s, 2) == "F0 B0 F1 B1 F2 B2 F3 B3");
  }

  TEST_CASE("1F1B with fewer micro-batches than ranks is GPipe on the first ranks") {
    const PipelineShape s{kOneOne, 4, 1, 2};
    CHECK(drawn(s, 0) == "F0 F1 B0 B1");
    CHECK(drawn(s, 2) == "F0 F1 B0 B1");
    CHECK(drawn(s, 3) == "F0 B0 F1 B1");
  }

  TEST_CASE("interleaved passes follow Megatron-LM's table") {
    // p 2, v 2, m 4: groups of 2 micro-batches through both chunks; warm-up 2 + 2 and 0 + 2.
    const PipelineShape s{kInterleaved, 2, 2, 4};
    CHECK(drawn(s, 0) ==
          "F0.0 F1.0 F0.1 F1.1 F2.0 B0.1 F3.0 B1.1 F2.1 B0.0 F3.1 B1.0 B2.1 B3.1 B2.0 B3.0");
    CHECK(drawn(s, 1) ==
          "F0.0 F1.0 F0.1 B0.1 F1.1 B1.1 F2.0 B0.0 F3.0 B1.0 F2.1 B2.1 F3.1 B3.1 B2.0 B3.0");
  }

  TEST_CASE("a larger micro-batch group leaves a smaller last group") {
    // The table that Megatron-LM's comment gives for PP2 N3 M5 VP2: micro-batches 0 1 2 0 1 2 3 4 3
    // 4, chunks 0 0 0 1 1 1 0 0 1 1.
    const PipelineShape s{kInterleaved, 2, 2, 5, 3};
    std::string forward;
    for (const ScheduledPass& p : rank_schedule(s, 0)) {
      if (p.pass != Pass::forward) continue;
      forward += std::to_string(p.micro_batch) + "." + std::to_string(p.chunk) + " ";
    }
    CHECK(forward == "0.0 1.0 2.0 0.1 1.1 2.1 3.0 4.0 3.1 4.1 ");
  }

  TEST_CASE("a shape that no schedule can run names the rule that it breaks") {
    CHECK_FALSE(broken_rule({kOneOne, 4, 1, 3}));
    CHECK(broken_rule({kOneOne, 4, 2, 8}) ==
          "virtual stages 2: only the interleaved schedule has more than 1");
    CHECK(broken_rule({kInterleaved, 1, 2, 8}) ==
          "ranks 1, virtual stages 2: the interleaved schedule needs at least 2 of each");
    CHECK(
        broken_rule({kInterleaved, 4, 2, 6}) ==
        "6 micro-batches in groups of 4 leave 2: the interleaved schedule needs a last group that "
        "is full or of at least 4 (ranks)");
    CHECK(broken_rule({kInterleaved, 4, 2, 2}) ==
          "micro-batch group 4: must be from 4 (ranks) to 2 (micro-batches)");
    CHECK(broken_rule({kOneOne, 0, 1, 1}) ==
          "ranks 0, virtual stages 1, micro-batches 1: each must be at least 1");
  }

  TEST_CASE("every pass of every chunk is scheduled once, a backward after its forward") {
    for (const PipelineShape& s :
         {PipelineShape{kGpipe, 3, 1, 5}, PipelineShape{kOneOne, 5, 1, 3},
          PipelineShape{kInterleaved, 4, 3, 8}, PipelineShape{kInterleaved, 3, 2, 11, 4}}) {
      for (std::int64_t r = 0; r < s.ranks; ++r) {
        auto passes = rank_schedule(s, r);
        CHECK(passes.size() == static_cast<std::size_t>(2 * s.micro_batches * s.virtual_stages));
        for (std::size_t i = 0; i < passes.size(); ++i) {
          if (passes[i].pass == Pass::forward) continue;
          const ScheduledPass forward{Pass::forward, passes[i].micro_batch, passes[i].chunk};
          const auto end = passes.begin() + static_cast<std::ptrdiff_t>(i);
          CHECK(std::count(passes.begin(), end, forward) == 1);
        }
        const auto key = [](const ScheduledPass& p) {
          return std::tuple(p.pass, p.micro_batch, p.chunk);
        };
        std::sort(passes.begin(), passes.end(),
                  [&](const auto& a, const auto& b) { return key(a) < key(b); });
        CHECK(std::adjacent_find(passes.begin(), passes.end()) == passes.end());
      }
    }
  }

  TEST_CASE("the last chunk of a rank hands over to the next virtual stage of the first rank") {
    const PipelineShape s{kInterleaved, 4, 2, 4};
    CHECK(downstream(s, {3, 0}, Pass::forward) == ChunkPlace{0, 1});
    CHECK(downstream(s, {0, 1}, Pass::backward) == ChunkPlace{3, 0});
    CHECK(upstream(s, {0, 1}, Pass::forward) == ChunkPlace{3, 0});
    CHECK(upstream(s, {1, 0}, Pass::backward) == ChunkPlace{2, 0});
    CHECK_FALSE(upstream(s, {0, 0}, Pass::forward));
    CHECK_FALSE(upstream(s, {3, 1}, Pass::backward));
    CHECK_FALSE(downstream(s, {3, 1}, Pass::forward));
    CHECK_FALSE(downstream(s, {0, 0}, Pass::backward));
  }

  TEST_CASE("1F1B holds p - r micro-batches, GPipe all") {
    for (std::int64_t r = 0; r < 8; ++r) {
      CHECK(peak_in_flight(rank_schedule({kOneOne, 8, 1, 32}, r)) == 8 - r);
      CHECK(peak_in_flight(rank_schedule({kGpipe, 8, 1, 32}, r)) == 32);
      CHECK(peak_in_flight(rank_schedule({kOneOne, 8, 1, 3}, r)) ==
            std::min<std::int64_t>(3, 8 - r));
    }
  }

  TEST_CASE("interleaving holds 1 + (p - 1) / (p v) times the activations of 1F1B on rank 0") {
    // In chunks of 1 / v stage: p v + p - 1 against p v (Korthikanti 2022, section 4.2.3).
    for (std::int64_t p : {2, 4, 8}) {
      for (std::int64_t v : {2, 3, 5}) {
        CHECK(peak_in_flight(rank_schedule({kInterleaved, p, v, 4 * p}, 0)) == p * v + p - 1);
      }
    }
  }

  TEST_CASE("without cost of messages the bubble is (p - 1) / m, interleaved (p - 1) / (v m)") {
    // Each rank works m v (f + b) with f, b of one chunk; the end is that plus (p - 1) (f + b).
    const std::int64_t f = 300, b = 700;
    for (const PipelineShape& s :
         {PipelineShape{kGpipe, 4, 1, 8}, PipelineShape{kOneOne, 4, 1, 8},
          PipelineShape{kOneOne, 8, 1, 32}, PipelineShape{kOneOne, 8, 1, 5},
          PipelineShape{kInterleaved, 4, 2, 8}, PipelineShape{kInterleaved, 4, 3, 4},
          PipelineShape{kInterleaved, 8, 4, 24}}) {
      CAPTURE(s.ranks);
      CAPTURE(s.virtual_stages);
      const std::int64_t work = s.micro_batches * s.virtual_stages * (f + b);
      const Execution e = execute(pipeline_program(s, {.forward = f, .backward = b}));
      CHECK(e.end == work + (s.ranks - 1) * (f + b));
    }
  }
}

}  // namespace forerun::sim
