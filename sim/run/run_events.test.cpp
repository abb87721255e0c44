#include "sim/run/run_events.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

#include "core/statistics.h"
#include "sim/run/made_setup.h"
#include "sim/run/run_forecast.h"
#include "sim/run/young_daly.h"

TEST_SUITE("sim/run_events") {
  using namespace forerun;
  using namespace forerun::sim;
  using namespace forerun::literals;
  using doctest::Approx;

  static RunDraw run(const RunSetup& s, std::uint64_t draw = 0) {
    return simulate_run_in_time(s, 7, draw);
  }
  static double mean_of(const RunSetup& s, int draws, double (*of)(const RunDraw&)) {
    double sum = 0;
    for (int d = 0; d < draws; ++d) sum += of(run(s, static_cast<std::uint64_t>(d)));
    return sum / draws;
  }
  static double seconds(const RunDraw& d) { return d.duration.base(); }

  TEST_CASE("without disturbances a run takes its steps and its checkpoints, to the microsecond") {
    RunSetup s = made_setup(1000);
    const RunDraw d = run(s);
    CHECK(d.finished);
    CHECK(d.steps_done == 1000);
    CHECK(d.of(TimeUse::training) == 10000.0_s);
    CHECK(d.checkpoints == 2);  // at 360 and 720; the end itself is not saved
    CHECK(d.of(TimeUse::checkpoint) == 120.0_s);
    CHECK(d.duration == 10120.0_s);
    CHECK(d.computing == 10000.0_s);
    CHECK(d.node_time == 1100 * d.duration);
    CHECK(d.job_node_time == 100 * d.duration);
  }

  TEST_CASE("memoryless failures with synchronous checkpoints take what Daly's formula says") {
    RunSetup s = made_setup(60000);
    for (const auto& [mean, every] :
         {std::pair(4.0_h, 360.0), std::pair(40.0_h, 720.0), std::pair(2.0_h, 100.0)}) {
      s.reliability.causes = {made_cause("node", mean)};
      s.tiers[0].every_steps = every;
      const double simulated = mean_of(s, 150, seconds);
      const Seconds formula =
          daly_duration(Seconds(10.0 * s.steps), Seconds(10 * every), 60.0_s, 300.0_s, mean);
      CAPTURE(mean.base());
      CHECK(simulated == Approx(formula.base()).epsilon(0.01));
    }
  }

  TEST_CASE("Daly's interval is near the best, and half and twice of it are worse") {
    RunSetup s = made_setup(60000);
    const Seconds mean = 6.0_h;
    s.reliability.causes = {made_cause("node", mean)};
    const double best = std::round(daly_interval(60.0_s, mean) / 10.0_s);
    const auto at = [&](double every) {
      s.tiers[0].every_steps = every;
      return mean_of(s, 200, seconds);
    };
    const double here = at(best);
    CHECK(here < at(best / 3));
    CHECK(here < at(best * 3));
    CHECK(here < 1.002 * at(best * 0.8));
    CHECK(here < 1.002 * at(best * 1.25));
  }

  TEST_CASE("interruptions are Poisson: mean and variance are the rate times the time") {
    RunSetup s = made_setup(86400);
    s.tiers[0].every_steps = 10;
    s.tiers[0].blocked = {};
    s.restart = {0, 0};
    s.tiers[0].load = {};
    s.reliability.causes = {made_cause("node", 12.0_h)};
    std::vector<double> per_day, squares;
    for (std::uint64_t d = 0; d < 400; ++d) {
      const RunDraw r = run(s, d);
      per_day.push_back(static_cast<double>(r.interruptions[0]));
    }
    const double m = mean(per_day);
    for (const double n : per_day) squares.push_back((n - m) * (n - m));
    CHECK(m == Approx(20).epsilon(0.03));
    CHECK(mean(squares) == Approx(20).epsilon(0.25));
  }

  TEST_CASE("checkpoints on the way are those that events of their own would make") {
    // A second tier that never saves makes each checkpoint of the first an event.
    RunSetup s = made_setup(20000);
    s.reliability.causes = {made_cause("node", 2.0_h), made_cause("software", 3.0_h, 0)};
    s.tiers[0].behind = 100.0_s;
    RunSetup each = s;
    each.tiers.push_back({"never", 1e12, {}, {}, {}, Survives::all, true});
    for (std::uint64_t d = 0; d < 50; ++d) {
      const RunDraw one = run(s, d), two = run(each, d);
      CAPTURE(d);
      CHECK(one.interruptions == two.interruptions);
      CHECK(one.duration.base() == Approx(two.duration.base()).epsilon(1e-6));
      CHECK(one.of(TimeUse::redone).base() == Approx(two.of(TimeUse::redone).base()).epsilon(1e-6));
      CHECK(one.of(TimeUse::checkpoint).base() ==
            Approx(two.of(TimeUse::checkpoint).base()).epsilon(1e-6));
      CHECK(one.checkpoints == two.checkpoints);
    }
  }

  TEST_CASE("infant mortality and wear-out have the same mean over a life, early and late") {
    RunSetup s = made_setup(86400);  // ten days
    s.tiers[0].every_steps = 10;
    s.tiers[0].blocked = {};
    s.restart = {0, 0};
    s.tiers[0].load = {};
    s.reliability.causes = {made_cause("node", 12.0_h)};
    const auto count = [&](double steps, double shape) {
      s.steps = steps;
      s.reliability.causes[0].shape = shape;
      s.reliability.causes[0].life = 10.0_days;
      return mean_of(s, 300,
                     [](const RunDraw& d) { return static_cast<double>(d.interruptions[0]); });
    };
    CHECK(count(86400, 0.5) == Approx(20).epsilon(0.05));
    CHECK(count(86400, 3) == Approx(20).epsilon(0.05));
    // Of a tenth of the life: (1/10)^k of the events.
    CHECK(count(8640, 0.5) == Approx(20 * std::sqrt(0.1)).epsilon(0.08));
    CHECK(count(8640, 3) < 0.2);
  }

  TEST_CASE("a checkpoint written behind the training counts once it is written") {
    RunSetup s = made_setup(3000);
    s.tiers[0].blocked = {};
    s.reliability.causes = {made_cause("node", 5.0_h)};
    const auto redone = [](const RunDraw& d) { return d.of(TimeUse::redone).base(); };
    const double at_once = mean_of(s, 200, redone);
    s.tiers[0].behind = 1800.0_s;
    const double behind = mean_of(s, 200, redone);
    // Each of the 5 h / failure loses up to half an hour more.
    CHECK(behind > at_once * 1.5);
    // Slower than its interval: the next one waits for it, and time still passes.
    s.tiers[0].behind = 7200.0_s;
    CHECK(run(s).finished);
  }

  TEST_CASE("a copy in memory saves what a node's loss costs, if it survives one") {
    RunSetup s = made_setup(6000);
    s.reliability.causes = {made_cause("node", 3.0_h)};
    const auto redone = [](const RunDraw& d) { return d.of(TimeUse::redone).base(); };
    const double storage = mean_of(s, 100, redone);
    s.tiers.push_back({"memory", 1, 0.01_s, {}, 1.0_s, Survives::node, false});
    const double copied = mean_of(s, 100, redone);
    CHECK(copied < storage / 50);
    s.tiers[1].survives = Survives::process;
    CHECK(mean_of(s, 100, redone) == Approx(storage).epsilon(0.15));
    s.reliability.causes[0].nodes = 0;
    CHECK(mean_of(s, 100, redone) < storage / 50);
    // A rack takes both copies.
    s.tiers[1].survives = Survives::node;
    s.reliability.causes[0].nodes = 4;
    CHECK(mean_of(s, 100, redone) == Approx(storage).epsilon(0.15));
  }

  TEST_CASE("silent corruption costs all steps since it happened, if it is noticed") {
    RunSetup s = made_setup(10000);
    hw::FailureCause c = made_cause("silent", 10.0_h);
    c.silent = true;
    c.noticed = 1;
    c.unnoticed_for = {7200, 7200};
    s.reliability.causes = {c};
    const RunDraw d = run(s);
    CHECK(d.finished);
    REQUIRE(d.interruptions[0] > 0);
    // Two hours and up to an hour to the checkpoint before; two that overlap cost one way back.
    const double each = d.of(TimeUse::redone).base() / static_cast<double>(d.interruptions[0]);
    CHECK(each > 0.8 * 7200);
    CHECK(each < 2.2 * 7200);
    CHECK(d.of(TimeUse::detection) == 0.0_s);
    s.reliability.causes[0].noticed = 0;
    CHECK(run(s).duration == run(made_setup(10000)).duration);
  }

  TEST_CASE("a corruption that another fall-back undid is not noticed later") {
    // Checkpoints every ten minutes: an hour to the corruption, two until it is noticed, and five
    // minutes to come back: one way back in 3.2 h of a run that goes on.
    RunSetup s = made_setup(100000);
    s.tiers[0].every_steps = 60;
    s.tiers[0].blocked = {};
    hw::FailureCause c = made_cause("silent", 1.0_h);
    c.silent = true;
    c.unnoticed_for = {7200, 7200};
    s.reliability.causes = {c};
    s.longest = 40.0_days;
    double interruptions = 0, days = 0;
    for (std::uint64_t d = 0; d < 10; ++d) {
      const RunDraw r = run(s, d);
      interruptions += static_cast<double>(r.interruptions[0]);
      days += r.duration.in(1.0_days);
    }
    CHECK(days * 24 / interruptions == Approx(3.1).epsilon(0.05));
  }

  TEST_CASE("a job that is down loses nodes and no more") {
    RunSetup s = made_setup(20000);
    s.spares = 0;
    s.detection = {600, 600};
    s.replacement = {86400, 86400};
    s.reliability.causes = {made_cause("node", 3.0_h)};
    const RunDraw d = run(s);
    // Each counted interruption is noticed after ten minutes, those of a waiting job are not
    // counted.
    CHECK(d.of(TimeUse::detection) == static_cast<double>(d.interruptions[0]) * 600.0_s);
    CHECK(static_cast<double>(d.interruptions[0]) < 0.5 * d.duration.in(3.0_h));
  }

  TEST_CASE("without spares a job waits for its nodes, or goes on with fewer replicas") {
    RunSetup s = made_setup(20000);
    s.spares = 0;
    s.replacement = {86400, 86400};
    s.reliability.causes = {made_cause("node", 20.0_h)};
    const RunDraw waits = run(s);
    CHECK(waits.of(TimeUse::waiting) > 0.9 * 86400.0_s);
    CHECK(waits.of(TimeUse::slowdown) == 0.0_s);
    s.when_short = WhenShort::shrink;
    const RunDraw shrinks = run(s);
    CHECK(shrinks.of(TimeUse::waiting) == 0.0_s);
    CHECK(shrinks.of(TimeUse::slowdown) > 0.0_s);
    CHECK(shrinks.duration < waits.duration);
    CHECK(shrinks.job_node_time < 100 * shrinks.duration);
    s.spares = 100;
    CHECK(run(s).of(TimeUse::slowdown) == 0.0_s);
  }

  TEST_CASE("what a smaller machine takes: more micro-batches a replica, the same fill") {
    RunSetup s = made_setup(20000);
    s.spares = 0;
    s.when_short = WhenShort::shrink;
    s.replacement = {1e8, 1e8};
    s.restart = {0, 0};
    s.tiers[0] = {"storage", 1, {}, {}, {}, Survives::all, true};
    hw::FailureCause rack =
        made_cause("rack", 30.0_h, 50);  // half of the machine, once and for all
    s.reliability.causes = {rack};
    std::vector<RunMoment> moments;
    const RunDraw d = simulate_run_in_time(s, 7, 0, &moments);
    // Once half is gone a second event leaves nothing: the run waits a thousand days for it.
    const RunMoment* after = nullptr;
    for (std::size_t i = 1; i < moments.size(); ++i) {
      if (moments[i - 1].to_step > moments[i - 1].from_step && d.interruptions[0] > 0 &&
          moments[i].from_step < moments[i].to_step &&
          (moments[i].end - moments[i].begin) / (moments[i].to_step - moments[i].from_step) >
              10.5_s) {
        after = &moments[i];
        break;
      }
    }
    REQUIRE(after != nullptr);
    // 25 replicas of 50: 16 micro-batches in place of 8, and 3 to fill four stages.
    CHECK((after->end - after->begin) / (after->to_step - after->from_step) / 10.0_s ==
          Approx((16.0 + 3) / (8 + 3)).epsilon(1e-6));
  }

  TEST_CASE("slow nodes, hot hours and starved steps are told apart") {
    RunSetup s = made_setup(8640 * 20);
    hw::SlowNodes slow;
    slow.name = "slow";
    slow.per_1000_node_days = {10, 10};  // one a day
    slow.slowdown = {1.5, 1.5};
    slow.lasts = {3600, 3600};
    s.reliability.slow = {slow};
    // One hour in 24 at two thirds of the pace, if they do not overlap.
    const double share = mean_of(
        s, 20, [](const RunDraw& d) { return d.of(TimeUse::slowdown) / d.of(TimeUse::training); });
    CHECK(share == Approx(0.5 / 1.5 / 24).epsilon(0.15));
    s.reliability.slow.clear();
    s.diurnal = 0.04;
    RunDraw d = run(s);
    CHECK(d.of(TimeUse::slowdown) / d.of(TimeUse::training) == Approx(0.02).epsilon(0.01));
    s.phases[0].data = Seconds(12);
    s.diurnal = 0;
    RunSetup fleet = made_setup(1000);
    fleet.stragglers = hw::Stragglers{"made", "", {{"all", 1, 0.25, 0, Evidence::assumed, "made"}}};
    const RunDraw slowed = run(fleet);
    CHECK(slowed.of(TimeUse::slowdown) / slowed.of(TimeUse::training) ==
          Approx(0.25).epsilon(1e-6));
    d = run(s);
    CHECK(d.of(TimeUse::starved) / d.of(TimeUse::training) == Approx(0.2).epsilon(1e-9));
    CHECK(d.computing == d.of(TimeUse::training));
  }

  TEST_CASE("stalls of the loaders and evaluations take their time") {
    RunSetup s = made_setup(8640 * 10);
    s.stalls_per_second = 2 / 86400.0;
    s.stall = {600, 600};
    s.evaluation = {1000, 120.0_s};
    const RunDraw d = run(s);
    CHECK(d.of(TimeUse::evaluation) == 86 * 120.0_s);
    CHECK(d.of(TimeUse::starved).base() == Approx(20 * 600).epsilon(0.6));
    CHECK(std::fmod(d.of(TimeUse::starved).base(), 600.0) == Approx(0).epsilon(1e-6));
  }

  TEST_CASE("a rollback throws its steps away once") {
    RunSetup s = made_setup(10000);
    s.rollbacks = {{{1000, 900}, {5000, 4000}}, {}};
    const RunDraw d = run(s, 0);
    CHECK(d.rollbacks == 2);
    // To the checkpoints at 720 and 3,600 + what follows the first from there: 360 apart.
    CHECK(d.steps_lost > 100 + 1000);
    CHECK(d.steps_lost < 100 + 1000 + 2 * 360);
    CHECK(d.steps_done == 10000);
    CHECK(d.of(TimeUse::restart) == 2 * 300.0_s);
    CHECK(run(s, 1).rollbacks == 0);
  }

  TEST_CASE("who is told in time loses nothing") {
    RunSetup s = made_setup(10000);
    hw::FailureCause spot = made_cause("pre-emption", 6.0_h);
    spot.notice = 120.0_s;
    s.reliability.causes = {spot};
    const RunDraw told = run(s);
    CHECK(told.of(TimeUse::redone) == 0.0_s);
    CHECK(told.interruptions[0] > 0);
    // Each stop is saved for, a minute beside those of the usual checkpoints.
    const double usual = std::floor(told.of(TimeUse::training) / 3600.0_s);
    CHECK(told.of(TimeUse::checkpoint).in(60.0_s) >
          0.9 * (usual + static_cast<double>(told.interruptions[0])) - usual * 0.5);
    CHECK(told.checkpoints > told.interruptions[0]);
    s.reliability.causes[0].notice = 30.0_s;  // less than a checkpoint takes
    CHECK(run(s).of(TimeUse::redone) > 0.0_s);
  }

  TEST_CASE("maintenance stops the job, and loses no step") {
    RunSetup s = made_setup(86400);
    s.maintenance = {2.0_days, {3600, 3600}};
    const RunDraw d = run(s);
    CHECK(d.of(TimeUse::maintenance) == 5 * 3600.0_s);
    CHECK(d.of(TimeUse::redone) == 0.0_s);
    CHECK(d.steps_lost == 0);
  }

  TEST_CASE("a batch ramp's steps have their own time") {
    RunSetup s = made_setup(1000);
    s.phases = {{0, Seconds(2), 1e5, {}}, {400, Seconds(10), 1e6, {}}};
    s.tiers[0].blocked = {};
    CHECK(run(s).duration == 6800.0_s);
  }

  TEST_CASE("a hopeless run is given up, and says so") {
    RunSetup s = made_setup(10000);
    s.reliability.causes = {made_cause("node", 100.0_s)};
    s.longest = 10.0_days;
    const RunDraw d = run(s);
    CHECK_FALSE(d.finished);
    CHECK(d.duration == 10.0_days);
    // So many events end a run, too.
    s.longest = 100000.0_days;
    CHECK_FALSE(run(s).finished);
    // The hazard of a machine that wears out at once has no next event but this very moment.
    s.reliability.causes[0].shape = 10;
    s.reliability.causes[0].life = 1.0_s;
    CHECK_FALSE(run(s).finished);
    s.reliability.causes[0].shape = 1;
    s.longest = 10.0_days;
    CHECK(run_forecast(s, 1, 3, 1).given_up == 1);
  }

  TEST_CASE("a forecast is the same for any number of threads") {
    RunSetup s = made_setup(20000);
    s.reliability.causes = {made_cause("node", 3.0_h), made_cause("software", 5.0_h, 0)};
    s.reliability.causes[0].per_1000_node_days.high *= 4;
    s.error_low = -0.1;
    s.error_high = 0.2;
    const RunForecast one = run_forecast(s, 3, 64, 1), four = run_forecast(s, 3, 64, 4);
    REQUIRE(one.draws.size() == four.draws.size());
    for (std::size_t i = 0; i < one.draws.size(); ++i) {
      CHECK(one.draws[i].duration == four.draws[i].duration);
      CHECK(one.draws[i].interruptions == four.draws[i].interruptions);
    }
    CHECK(one.duration_s.p10 < one.duration_s.p50);
    CHECK(one.duration_s.p50 < one.duration_s.p90);
  }

  TEST_CASE("the step's error has the band's quantiles about the prediction") {
    RunSetup s = made_setup(1000);
    s.error_low = -0.2;
    s.error_high = 0.1;
    s.tiers[0].blocked = {};
    const RunForecast f = run_forecast(s, 5, 2000, 2);
    CHECK(std::log(f.duration_s.p10 / 1e4) == Approx(-0.2).epsilon(0.1));
    CHECK(std::log(f.duration_s.p90 / 1e4) == Approx(0.1).epsilon(0.1));
    CHECK(f.duration_s.p50 / 1e4 == Approx(1).epsilon(0.01));
  }

  TEST_CASE("whatever happens, every moment is accounted for once") {
    rc::check([] {
      const auto pick = [](int low, int high) {
        return static_cast<double>(*rc::gen::inRange(low, high));
      };
      RunSetup s = made_setup(pick(1, 5000));
      s.spares = *rc::gen::inRange(0, 4);
      s.when_short = *rc::gen::arbitrary<bool>() ? WhenShort::shrink : WhenShort::wait;
      s.replacement = {600, pick(600, 200000)};
      s.detection = {0, pick(0, 2000)};
      s.restart = {0, pick(0, 2000)};
      s.diurnal = pick(0, 10) / 100;
      s.step_jitter = pick(0, 20) / 100;
      s.phases[0].data = Seconds(pick(0, 15));
      s.stalls_per_second = pick(0, 3) / 86400;
      s.stall = {1, 1000};
      s.evaluation = {pick(1, 500), Seconds(pick(0, 300))};
      if (*rc::gen::arbitrary<bool>()) s.maintenance = {Seconds(86400), {60, 7200}};
      s.tiers[0].every_steps = pick(1, 500);
      s.tiers[0].behind = Seconds(pick(0, 3000));
      if (*rc::gen::arbitrary<bool>()) {
        s.tiers.push_back(
            {"memory", pick(1, 20), 0.1_s, Seconds(pick(0, 20)), 1.0_s, Survives::node, false});
      }
      s.reliability.causes = {made_cause("a", Seconds(pick(3000, 200000)), 1),
                              made_cause("b", Seconds(pick(3000, 200000)), 0),
                              made_cause("c", Seconds(pick(30000, 200000)), 3),
                              made_cause("d", Seconds(pick(9000, 200000)), 1)};
      s.reliability.causes[3].silent = true;
      s.reliability.causes[3].unnoticed_for = {10, 20000};
      hw::SlowNodes slow;
      slow.name = "slow";
      slow.per_1000_node_days = {0, 30};
      slow.slowdown = {1, 3};
      slow.lasts = {60, 9000};
      slow.exchanged = *rc::gen::arbitrary<bool>();
      s.reliability.slow = {slow};
      s.rollbacks = {{{s.steps / 2, s.steps / 3}}};
      s.longest = 400.0_days;
      std::vector<RunMoment> moments;
      const RunDraw d = simulate_run_in_time(s, 11, 0, &moments);
      Seconds sum{};
      for (const Seconds t : d.use) {
        RC_ASSERT(t.base() >= 0);
        sum += t;
      }
      RC_ASSERT(std::abs(sum / d.duration - 1) < 1e-9);
      if (d.finished) RC_ASSERT(d.steps_done == s.steps);
      RC_ASSERT(d.computing <= d.duration);
      for (std::size_t i = 1; i < moments.size(); ++i) {
        RC_ASSERT(moments[i].begin == moments[i - 1].end);
      }
    });
  }
}
