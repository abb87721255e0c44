#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

#include "sim/attribution.h"
#include "sim/critical_path.h"
#include "sim/program.h"
#include "tests/programs.h"

namespace forerun::sim {
namespace {

/// Random bits of one choice, taken a few at a time (the finaliser of SplitMix64).
class Bits {
 public:
  explicit Bits(std::uint64_t seed) : bits_(seed + 0x9e3779b97f4a7c15u) {
    bits_ = (bits_ ^ (bits_ >> 30)) * 0xbf58476d1ce4e5b9u;
    bits_ = (bits_ ^ (bits_ >> 27)) * 0x94d049bb133111ebu;
    bits_ ^= bits_ >> 31;
  }
  std::int64_t below(std::uint64_t bound) {
    const auto value = static_cast<std::int64_t>(bits_ % bound);
    bits_ /= bound;
    return value;
  }

 private:
  std::uint64_t bits_;
};

constexpr std::int32_t kRanks = 4;

enum class Taxes : std::uint8_t { none, some };

/// A program that ends: every choice adds one operation, a message or a rendezvous, and waits only
/// for what was added before. Any list of choices is a program, so a failing one shrinks.
Program random_program(const std::vector<std::uint32_t>& choices, Taxes taxes) {
  Program p = empty_program(kRanks);
  const auto issue = [&](std::int64_t rank, Operation o, Bits& bits) {
    const auto size =
        static_cast<OperationId>(p.ranks[static_cast<std::size_t>(rank)].operations.size());
    for (OperationId& w : o.wait) {
      const std::int64_t back = bits.below(8);  // 4 to 7: no wait
      if (back < 4 && back < size) w = size - 1 - static_cast<OperationId>(back);
    }
    o.host_first = bits.below(3) * bits.below(4);
    o.host_rest = bits.below(4) == 0 ? bits.below(30) : 0;
    o.host_waits = bits.below(12) == 0;
    if (taxes == Taxes::some && o.stream != StreamKind::compute && bits.below(2) == 0) {
      o.tax = static_cast<std::uint8_t>(bits.below(60));
    }
    add(p, rank, o);
  };
  for (const std::uint32_t choice : choices) {
    Bits bits(choice);
    const std::int64_t rank = bits.below(kRanks), kind = bits.below(10);
    const std::int64_t duration = bits.below(20);
    if (kind < 5) {
      issue(rank, compute(duration), bits);
    } else if (kind < 8) {
      issue(rank, kind == 5 ? data(duration) : tensor(duration), bits);
    } else if (kind == 8) {
      const std::int32_t channel = p.channels++;
      issue(rank, send(channel, duration), bits);
      Bits more(choice + 1u);
      issue((rank + 1 + more.below(kRanks - 1)) % kRanks, receive(channel), more);
    } else {
      const std::int32_t channel = p.channels++;
      for (std::int64_t r = 0; r < kRanks; ++r) {
        Bits more(choice + static_cast<std::uint32_t>(r));
        if (r == rank || more.below(2) == 0) issue(r, meeting(data(duration), channel), more);
      }
    }
  }
  return p;
}

template <class Visit>
void for_each_operation(const Program& p, Visit&& visit) {
  for (std::size_t r = 0; r < p.ranks.size(); ++r) {
    for (std::size_t i = 0; i < p.ranks[r].operations.size(); ++i) {
      visit(Place{static_cast<std::int32_t>(r), static_cast<OperationId>(i)});
    }
  }
}

/// The equations of program.h, term by term, with a loop over all operations for each term.
void check_equations(const Program& p, const Execution& e) {
  const Causality c(p, e);
  for_each_operation(p, [&](Place here) {
    const Operation& o = c.operation(here);
    const Span& s = c.span(here);
    std::int64_t issue = 0, ready = 0, arrival = 0, latest = 0;
    for (OperationId i = 0; i <= here.operation; ++i) {
      const Operation& before = c.operation({here.rank, i});
      issue += before.host_first;
      if (i == here.operation) break;
      issue += before.host_rest;
      if (before.host_waits) issue = c.span({here.rank, i}).end;
      const bool waited = i == o.wait[0] || i == o.wait[1];
      if (waited || before.stream == o.stream) ready = std::max(ready, c.span({here.rank, i}).end);
    }
    ready = std::max(ready, issue);
    RC_ASSERT(c.ready(here) == ready);
    latest = ready;
    for_each_operation(p, [&](Place other) {
      const Operation& q = c.operation(other);
      if (o.receives && q.sends && q.channel == o.channel) arrival = c.span(other).end;
      if (o.rendezvous && q.rendezvous && q.channel == o.channel) {
        latest = std::max(latest, c.ready(other));
      }
    });
    RC_ASSERT(s.begin == latest);
    RC_ASSERT(s.end == std::max({s.begin + o.duration + s.slowed, issue + o.host_rest, arrival}));
    RC_ASSERT(s.slowed >= 0);
  });
}

/// The compute stream advances by 100 / (100 + taxes) a tick; counted tick by tick, an operation
/// has done its duration when it ends, and no more than one tick of rounding a change of taxes
/// early.
void check_taxes(const Program& p, const Execution& e) {
  const Causality c(p, e);
  for_each_operation(p, [&](Place here) {
    const Operation& o = c.operation(here);
    const Span& s = c.span(here);
    if (o.stream != StreamKind::compute || o.receives) return;
    double work = 0;
    std::int64_t changes = 1;
    for (std::int64_t tick = s.begin; tick < s.begin + o.duration + s.slowed; ++tick) {
      std::int64_t tax = 0;
      for_each_operation(p, [&](Place other) {
        const Operation& q = c.operation(other);
        const Span& t = c.span(other);
        if (other.rank != here.rank || q.stream == StreamKind::compute || q.tax == 0) return;
        if (t.begin <= tick && tick < t.end) tax += q.tax;
        if (t.begin == tick || t.end == tick) ++changes;
      });
      work += 100.0 / static_cast<double>(100 + tax);
    }
    RC_ASSERT(work >= static_cast<double>(o.duration) - 1e-6);
    RC_ASSERT(work <= static_cast<double>(o.duration + changes));
  });
}

Program permuted(const Program& p, const std::vector<std::size_t>& order) {
  Program q = p;
  for (std::size_t r = 0; r < order.size(); ++r) q.ranks[r] = p.ranks[order[r]];
  return q;
}

/// Every rank `copies` times; tensor exchanges become a rendezvous of the copies, messages and
/// other rendezvous stay within one copy. Copy k of rank r is rank r * copies + k.
Program unfolded(const Program& p, std::int32_t copies) {
  Program q;
  q.labels = p.labels;
  q.channels = p.channels * copies;
  for (const RankProgram& rank : p.ranks) {
    std::vector<std::int32_t> meetings(rank.operations.size());
    for (std::int32_t& m : meetings) m = q.channels++;
    for (std::int32_t k = 0; k < copies; ++k) {
      RankProgram copy = rank;
      for (std::size_t i = 0; i < copy.operations.size(); ++i) {
        Operation& o = copy.operations[i];
        if (o.channel >= 0) {
          o.channel = o.channel * copies + k;
        } else if (o.stream == StreamKind::tensor) {
          o = meeting(o, meetings[i]);
        }
      }
      q.ranks.push_back(copy);
    }
  }
  return q;
}

bool same_dates(const Span& a, const Span& b) {
  return a.begin == b.begin && a.end == b.end && a.waited == b.waited && a.slowed == b.slowed;
}

using Choices = std::vector<std::uint32_t>;

}  // namespace

TEST_SUITE("sim/execute properties") {
  TEST_CASE("random programs keep the equations of begin, end and issue") {
    CHECK(rc::check([](const Choices& choices) {
      const Program p = random_program(choices, Taxes::none);
      const Execution e = execute(p);
      check_equations(p, e);
      for_each_operation(p, [&](Place q) {
        RC_ASSERT(e.spans[static_cast<std::size_t>(q.rank)][static_cast<std::size_t>(q.operation)]
                      .slowed == 0);
      });
    }));
  }

  TEST_CASE("taxes slow compute by what runs beside it, and everything else keeps its equations") {
    CHECK(rc::check([](const Choices& choices) {
      const Program p = random_program(choices, Taxes::some);
      const Execution e = execute(p);
      check_equations(p, e);
      check_taxes(p, e);
    }));
  }

  TEST_CASE("no stream does two things at once") {
    CHECK(rc::check([](const Choices& choices) {
      const Program p = random_program(choices, Taxes::some);
      const Execution e = execute(p);
      std::array<std::array<std::int64_t, kStreams>, kRanks> free{};
      for_each_operation(p, [&](Place here) {
        const Causality c(p, e);
        auto& at = free[static_cast<std::size_t>(here.rank)]
                       [static_cast<std::size_t>(c.operation(here).stream)];
        RC_ASSERT(c.span(here).begin >= at);
        RC_ASSERT(c.span(here).waited == c.span(here).begin - at);
        at = c.span(here).end;
      });
    }));
  }

  TEST_CASE("without taxes a longer operation makes nothing end earlier") {
    CHECK(rc::check([](const Choices& choices, std::uint32_t which, std::uint8_t more) {
      Program p = random_program(choices, Taxes::none);
      const Execution before = execute(p);
      RankProgram& rank = p.ranks[which % kRanks];
      RC_PRE(!rank.operations.empty());
      rank.operations[static_cast<std::size_t>(which) / kRanks % rank.operations.size()].duration +=
          more;
      const Execution after = execute(p);
      for (std::size_t r = 0; r < before.spans.size(); ++r) {
        for (std::size_t i = 0; i < before.spans[r].size(); ++i) {
          RC_ASSERT(after.spans[r][i].begin >= before.spans[r][i].begin);
          RC_ASSERT(after.spans[r][i].end >= before.spans[r][i].end);
        }
      }
    }));
  }

  TEST_CASE("the order in which ranks are listed changes no date") {
    CHECK(rc::check([](const Choices& choices, std::uint8_t turn) {
      const Program p = random_program(choices, Taxes::some);
      std::vector<std::size_t> order(kRanks);
      std::iota(order.begin(), order.end(), std::size_t{0});
      for (int i = 0; i < turn % 24; ++i) std::next_permutation(order.begin(), order.end());
      const Execution a = execute(p), b = execute(permuted(p, order));
      RC_ASSERT(a.end == b.end);
      for (std::size_t r = 0; r < order.size(); ++r) {
        for (std::size_t i = 0; i < b.spans[r].size(); ++i) {
          RC_ASSERT(same_dates(b.spans[r][i], a.spans[order[r]][i]));
        }
      }
    }));
  }

  TEST_CASE(
      "peers that do the same, simulated each, take the dates of the one that stands for them") {
    CHECK(rc::check([](const Choices& choices) {
      const std::size_t copies = 3;
      const Program p = random_program(choices, Taxes::some);
      const Execution folded = execute(p), each = execute(unfolded(p, copies));
      RC_ASSERT(folded.end == each.end);
      for (std::size_t r = 0; r < folded.spans.size(); ++r) {
        for (std::size_t i = 0; i < folded.spans[r].size(); ++i) {
          for (std::size_t k = 0; k < copies; ++k) {
            RC_ASSERT(same_dates(each.spans[r * copies + k][i], folded.spans[r][i]));
          }
        }
      }
    }));
  }

  TEST_CASE("every tick of every rank is attributed, and the critical path tiles the step") {
    CHECK(rc::check([](const Choices& choices) {
      const Program p = random_program(choices, Taxes::some);
      const Execution e = execute(p);
      const Causality c(p, e);
      for (std::int32_t r = 0; r < kRanks; ++r) {
        const RankTime time = attribute(c, r);
        RC_ASSERT(sum(time.busy) + sum(time.slowed) + sum(time.idle) == e.end);
        for (const ExposedTransfer& x : exposed_transfers(c, r)) {
          RC_ASSERT(x.bandwidth_factor >= 1.0);
          RC_ASSERT(x.never_hidden <= x.exposed);
        }
      }
      RC_ASSERT(tiles(critical_path(c), e.end));
    }));
  }
}

}  // namespace forerun::sim
