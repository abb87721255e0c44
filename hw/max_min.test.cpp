#include "hw/max_min.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

namespace forerun::hw {
namespace {

struct Case {
  std::vector<double> capacity;
  std::vector<std::vector<LinkUse>> flows;
};

Case any_case() {
  Case c;
  const int links = *rc::gen::inRange(1, 12), flows = *rc::gen::inRange(1, 20);
  for (int l = 0; l < links; ++l) c.capacity.push_back(*rc::gen::inRange(1, 100));
  for (int f = 0; f < flows; ++f) {
    std::vector<LinkUse> uses;
    for (int l = 0; l < links; ++l) {
      const int share = *rc::gen::inRange(-3, 4);
      if (share > 0) uses.push_back({l, static_cast<double>(share)});
    }
    if (uses.empty()) uses.push_back({0, 1});
    c.flows.push_back(uses);
  }
  return c;
}

double load(const Case& c, const MaxMin& m, const std::vector<MaxMin::Flow>& ids, int link) {
  double sum = 0;
  for (std::size_t f = 0; f < ids.size(); ++f) {
    for (const LinkUse& u : c.flows[f]) sum += u.link == link ? u.share * m.rate(ids[f]) : 0;
  }
  return sum;
}

TEST_SUITE("hw/max_min") {
  // Bertsekas and Gallager's picture: a long flow over two links and one flow on each. On the
  // narrow one (10) two flows: 5 each; on the wide one (100) the long flow leaves 95.
  TEST_CASE("a long flow gets what its narrowest link leaves, and others get the rest") {
    MaxMin m({10, 100});
    const auto along = m.add({{0, 1}, {1, 1}}), narrow = m.add({{0, 1}}), wide = m.add({{1, 1}});
    CHECK(m.solve().size() == 3);
    CHECK(m.rate(along) == 5);
    CHECK(m.rate(narrow) == 5);
    CHECK(m.rate(wide) == 95);
  }

  // 1 r + 3 r = 8 at the first full link: r = 2.
  TEST_CASE("a flow that uses a link three times weighs three times") {
    MaxMin m({8});
    const auto one = m.add({{0, 1}}), three = m.add({{0, 3}});
    (void)m.solve();
    CHECK(m.rate(one) == 2);
    CHECK(m.rate(three) == 2);
  }

  TEST_CASE("only flows connected to what changed are solved again, and only others reported") {
    MaxMin m({10, 10, 10});
    const auto a = m.add({{0, 1}}), b = m.add({{0, 1}}), c = m.add({{1, 1}, {2, 1}});
    (void)m.solve();
    const std::int64_t before = m.flows_solved();
    m.remove(b);
    const std::vector<MaxMin::Flow> changed = m.solve();
    CHECK(changed == std::vector<MaxMin::Flow>{a});
    CHECK(m.flows_solved() - before == 1);
    CHECK(m.rate(a) == 10);
    CHECK(m.rate(c) == 10);
    CHECK(m.solve().empty());
  }

  TEST_CASE("no link carries more than its capacity, and every flow has a full link of its level") {
    rc::check([] {
      const Case c = any_case();
      MaxMin m(c.capacity);
      std::vector<MaxMin::Flow> ids;
      for (const auto& uses : c.flows) ids.push_back(m.add(uses));
      (void)m.solve();
      for (int l = 0; l < static_cast<int>(c.capacity.size()); ++l) {
        RC_ASSERT(load(c, m, ids, l) <= c.capacity[static_cast<std::size_t>(l)] * (1 + 1e-8));
      }
      // The bottleneck condition, which max-min shares alone satisfy.
      for (std::size_t f = 0; f < ids.size(); ++f) {
        const bool held = std::any_of(c.flows[f].begin(), c.flows[f].end(), [&](const LinkUse& u) {
          if (load(c, m, ids, u.link) < c.capacity[static_cast<std::size_t>(u.link)] * (1 - 1e-8)) {
            return false;
          }
          for (std::size_t g = 0; g < ids.size(); ++g) {
            for (const LinkUse& v : c.flows[g]) {
              if (v.link == u.link && m.rate(ids[g]) > m.rate(ids[f]) * (1 + 1e-8)) return false;
            }
          }
          return true;
        });
        RC_ASSERT(held);
      }
    });
  }

  TEST_CASE("flows that come and go leave the shares that solving all anew gives") {
    rc::check([] {
      const Case c = any_case();
      MaxMin m(c.capacity);
      std::map<std::size_t, MaxMin::Flow> here;
      const int changes = *rc::gen::inRange(1, 30);
      for (int i = 0; i < changes; ++i) {
        const auto f =
            static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(c.flows.size())));
        if (const auto found = here.find(f); found != here.end()) {
          m.remove(found->second);
          here.erase(found);
        } else {
          here[f] = m.add(c.flows[f]);
        }
        if (*rc::gen::inRange(0, 3) != 0) (void)m.solve();
      }
      (void)m.solve();
      MaxMin anew(c.capacity);
      std::map<std::size_t, MaxMin::Flow> again;
      for (const auto& [f, id] : here) again[f] = anew.add(c.flows[f]);
      (void)anew.solve();
      for (const auto& [f, id] : here) {
        RC_ASSERT(std::abs(m.rate(id) / anew.rate(again[f]) - 1) < 1e-8);
      }
    });
  }
}

}  // namespace
}  // namespace forerun::hw
