#include "hw/reliability.h"

#include <doctest/doctest.h>

#include "core/error.h"

TEST_SUITE("hw/reliability") {
  using namespace forerun;
  using namespace forerun::hw;
  using namespace forerun::literals;
  using doctest::Approx;

  static std::string wrong(const std::string& causes) {
    Problems problems;
    const auto r =
        read_reliability(R"({"schema": 1, "name": "mine", "causes": [)" + causes + "]}", problems);
    CHECK(r.has_value() == problems.empty());
    return problems.empty() ? "" : problems.list()[0].where + ": " + problems.list()[0].what;
  }

  /// Mean time between failures of a job on so many accelerators.
  static std::optional<Seconds> of(const Reliability& r, double accelerators) {
    return mean_time_between(r.causes, accelerators / static_cast<double>(r.accelerators_per_node));
  }

  TEST_CASE("every profile reads, has a source for every rate, and is written back the same") {
    for (const std::string& name : reliability_names()) {
      CAPTURE(name);
      const Reliability r = load_reliability(name);
      CHECK(r.name == name);
      Problems problems;
      const JsonDocument again = JsonDocument::parse(reliability_json(r), problems);
      Reader top = again.root(problems);
      CHECK(read_reliability_body(top) == r);
      CHECK(problems.empty());
    }
  }

  TEST_CASE("Llama 3's causes sum to its 419 interruptions in 54 days on 2,048 nodes") {
    const Reliability r = load_reliability("llama3-405b-54-days");
    CHECK(r.causes.size() == 18);
    const auto mean = of(r, 16384);
    REQUIRE(mean);
    CHECK(54.0_days / *mean == Approx(419).epsilon(1e-4));
  }

  TEST_CASE("the paper's formula: MTTF = 1 / (nodes x rate)") {
    const Reliability r = load_reliability("meta-rsc-1-hardware");
    CHECK(of(r, 1024)->in(1.0_h) == Approx(28.8).epsilon(0.003));
    CHECK(of(r, 8)->in(1.0_days) == Approx(153.8).epsilon(0.003));
    CHECK(of(r, 16384)->in(1.0_h) == Approx(1.8).epsilon(0.01));
    CHECK(of(r, 131072)->in(1.0_h) == Approx(0.23).epsilon(0.03));
    CHECK_FALSE(of(load_reliability("none"), 8));
  }

  TEST_CASE("with the software of research jobs, seen on 8 accelerators, 1,024 stop as observed") {
    const Reliability r = load_reliability("meta-rsc-1-jobs");
    CHECK(of(r, 8)->in(1.0_days) == Approx(47.7).epsilon(0.001));
    // 7.9 hours were observed; nothing of them is in the profile.
    CHECK(of(r, 1024)->in(1.0_h) == Approx(7.9).epsilon(0.25));
    CHECK(of(r, 1024)->in(1.0_h) == Approx(8.94).epsilon(0.01));
  }

  TEST_CASE("wrong input is named") {
    const std::string good = R"("evidence": "assumed", "source": "made")";
    CHECK(wrong(R"({"name": "a", "per_1000_node_days": -1, )" + good + "}")
              .find("/causes/0/per_1000_node_days") == 0);
    CHECK(wrong(R"({"name": "a", "per_1000_node_days": [3, 2], )" + good + "}") ==
          "/causes/0/per_1000_node_days: the low end is above the high end");
    CHECK(wrong(R"({"name": "a", "per_1000_node_days": 1, "evidence": "assumed", "source": ""})") ==
          "/causes/0/source: empty");
    CHECK(wrong(R"({"name": "a", "per_1000_node_days": 1, "shape": 0.5, )" + good + "}") ==
          "/causes/0/life: missing");
    CHECK(wrong(R"({"name": "a", "per_1000_node_days": 1, "noticeed": 0.5, )" + good + "}")
              .find("did you mean noticed?") != std::string::npos);
    CHECK(wrong(R"({"name": "a", "per_1000_node_days": 1, )" + good +
                R"(}, {"name": "a", "per_1000_node_days": 1, )" + good + "}") ==
          "/causes/1/name: a second cause named \"a\"");
    CHECK_THROWS_AS((void)load_reliability("meta-rcs"), Error);
  }
}
