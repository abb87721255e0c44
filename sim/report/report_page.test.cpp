#include "sim/report/report_page.h"

#include <doctest/doctest.h>

#include <cctype>
#include <cmath>
#include <set>

#include "sim/report/made_answer.h"
#include "sim/report/not_modelled.h"
#include "sim/report/palette.h"
#include "sim/report/timeline.h"
#include "sim/report/words.h"
#include "tests/programs.h"
#include "tests/well_formed.h"

namespace forerun::sim {
namespace {

constexpr std::size_t kMostBytes = 1000000;

bool has(const std::string& page, const std::string& part) {
  return page.find(part) != std::string::npos;
}
/// Not followed or led by letters: of a number that went wrong. Sources may speak of it.
bool has_word(const std::string& page, const std::string& word) {
  const auto letter = [&](std::size_t at) {
    return at < page.size() && std::isalpha(static_cast<unsigned char>(page[at])) != 0;
  };
  for (std::size_t at = page.find(word); at != std::string::npos; at = page.find(word, at + 1)) {
    if (!letter(at - 1) && !letter(at + word.size())) return true;
  }
  return false;
}
bool has_section(const std::string& page, const std::string& id) {
  return has(page, "id=\"" + id + "\"");
}

/// Nothing that a browser would fetch: no source, link, import, url or script.
void check_alone(const std::string& page) {
  for (const char* part : {"src=", "href=", "@import", "url(", "<script", "<link", "<img",
                           "<iframe", "<object", "xlink", "onload", "javascript:"}) {
    CHECK_MESSAGE(!has(page, part), part);
  }
}

void check_page(const std::string& page) {
  testing::XmlCheck check(page);
  CHECK(check.run() == "");
  const std::set<std::string> unique(check.ids().begin(), check.ids().end());
  CHECK(unique.size() == check.ids().size());
  check_alone(page);
  CHECK(page.size() < kMostBytes);
  const std::string numbers = page.substr(0, page.find("id=\"sources\""));
  CHECK_FALSE(has_word(numbers, "nan"));
  CHECK_FALSE(has_word(numbers, "inf"));
}

const Scenario& pair() {
  static const Scenario s = scenario_with_all();
  return s;
}
const Answer& whole() {
  static const Answer a = full_answer(pair());
  return a;
}

/// WCAG 2.2: (L1 + 0.05) / (L2 + 0.05) of relative luminances.
double luminance(const std::string& hex) {
  const auto channel = [&](std::size_t at) {
    const double c = std::stoi(hex.substr(at, 2), nullptr, 16) / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
double contrast(const char* a, const char* b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

TEST_SUITE("sim/report") {
  TEST_CASE("a full answer has every section, is well-formed, alone and not too large") {
    const std::string page = report_page(pair(), whole(), made_identity());
    check_page(page);
    for (const char* id : {"finish", "time", "interruptions", "cost", "losses", "stability", "step",
                           "timeline", "memory", "question", "evidence", "left-out", "warnings",
                           "assumptions", "sources", "identity"}) {
      CHECK_MESSAGE(has_section(page, id), id);
    }
  }

  TEST_CASE("the headline has days with their range, the end, the cost, losses and risks") {
    const std::string page = report_page(pair(), whole(), made_identity());
    const Spread& d = whole().run->duration_s;
    CHECK(has(page,
              "8 of 10 simulated runs take " + report::range_text(Seconds(d.p10), Seconds(d.p90))));
    CHECK(has(page, "begun on 1 March 2027, done on "));
    CHECK(has(page, "8 of 10 simulated runs cost $"));
    CHECK(has(page, "of CO2"));
    CHECK(has(page, "done by 2 March 2027"));
    CHECK(has(page, "costs $3.00 k or less"));
    CHECK(has(page, "<dt>both</dt>"));
    // From 8 o'clock of one day to the end of the next.
    CHECK(has(page, "deadline 40"));
    CHECK(has(page, "speech"));
  }

  TEST_CASE("an answer without run, bill and losses has none of their sections, and says so") {
    const std::string page = report_page(pair(), step_answer(pair()), made_identity());
    check_page(page);
    for (const char* id : {"finish", "time", "interruptions", "cost", "losses", "stability"}) {
      CHECK_MESSAGE(!has_section(page, id), id);
    }
    for (const char* id : {"step", "timeline", "memory", "evidence", "left-out", "identity"}) {
      CHECK_MESSAGE(has_section(page, id), id);
    }
    CHECK(has(page, "One step"));
    Answer steps = step_answer(pair());
    steps.steps = 1e4;
    CHECK(has(report_page(pair(), steps, made_identity()), "if nothing interrupts it"));
  }

  TEST_CASE("what does not fit is a page that says so, and by how much") {
    const Scenario s = scenario_named("llama3_70b_does_not_fit");
    const Answer a = step_answer(s);
    REQUIRE_FALSE(a.memory.fits);
    const std::string page = report_page(s, a, made_identity());
    check_page(page);
    CHECK(has(page, "It does not fit"));
    CHECK(has(page, "What would fit"));
    CHECK(has_section(page, "memory"));
    CHECK_FALSE(has_section(page, "step"));
    CHECK_FALSE(has(page, "How long"));
  }

  TEST_CASE("no text of a scenario or answer can end up as markup") {
    Scenario s = pair();
    Answer a = whole();
    const std::string evil = "</style><script>\"x\" & 'y'\x01";
    s.name = s.description = s.model.name = s.accelerator.name = s.framework.name = evil;
    s.network.name = s.topology_name = s.published.source = s.price_source = evil;
    s.assumptions = {evil};
    s.model.source["layers"] = evil;
    s.model.evidence["layers"] = Evidence::assumed;
    a.run->causes[0].name = evil;
    a.run->warnings = a.run->assumptions = {evil};
    a.cost->items.at(0).name = a.cost->items[0].source = evil;
    a.cost->warnings = a.cost->assumptions = {evil};
    a.loss->losses->modalities[0].name = evil;
    a.loss->unanswered = {evil};
    a.loss->notes = {evil};
    for (StageMemory& m : a.memory.stages) m.owners[0].name = m.moment = evil;
    ReportIdentity id = made_identity();
    id.command = id.version = evil;
    const std::string page = report_page(s, a, id);
    check_page(page);
    CHECK(has(page, "&lt;/style&gt;&lt;script&gt;"));
  }

  TEST_CASE("the same answer is the same page") {
    CHECK(report_page(pair(), whole(), made_identity()) ==
          report_page(pair(), whole(), made_identity()));
  }

  TEST_CASE("a step of thousands of passes stays a small page") {
    const Scenario s = scenario_named("llama3_405b_16384_h100");
    const std::string page = report_page(s, step_answer(s), made_identity());
    check_page(page);
    CHECK(page.size() < 400000);
  }

  TEST_CASE("text is at least 4.5 to 1 on the paper and the page, pictures 3 to 1") {
    using report::PageColour;
    for (const auto side : {&PageColour::light, &PageColour::dark}) {
      const char *page = report::kPageTones[0].*side, *paper = report::kPageTones[1].*side;
      for (const PageColour& t : report::kPageTones) {
        const std::string name = t.name;
        if (name != "ink" && name != "muted" && name != "accent") continue;
        CHECK_MESSAGE(contrast(t.*side, paper) >= 4.5, name);
        CHECK_MESSAGE(contrast(t.*side, page) >= 4.5, name);
      }
      for (std::size_t i = 0; i < report::kPictureColours.size(); ++i) {
        if (i == report::kIdleColour) continue;
        CHECK_MESSAGE(contrast(report::kPictureColours[i].*side, paper) >= 3.0,
                      report::kPictureColours[i].name);
      }
    }
  }

  TEST_CASE("every file that says what is not modelled does say it") {
    for (const report::LeftOut& l : report::left_out()) {
      const std::string text = read_file(data_path(l.file), 1 << 20);
      CHECK_MESSAGE(has(text, "Not modelled"), l.file);
    }
  }

  TEST_CASE("the timeline has a row a stage, its passes, what it waits for and its exchanges") {
    Program p = empty_program(2, 1);
    p.labels = {{"forward", "", DurationEvidence::measured},
                {"backward", "", DurationEvidence::measured},
                {"send", "", DurationEvidence::measured}};
    Operation forward = on(StreamKind::compute, 1000000000000, Category::compute);
    const OperationId first = add(p, 0, forward);
    Operation send = on(StreamKind::pipeline_send, 500000000000, Category::pipeline_exchange);
    send.label = 2;
    send.wait = {first, kNone};
    send.sends = true;
    send.channel = 0;
    add(p, 0, send);
    Operation receive = on(StreamKind::pipeline_receive, 0, Category::pipeline_exchange);
    receive.label = 2;
    receive.receives = true;
    receive.channel = 0;
    const OperationId got = add(p, 1, receive);
    Operation backward = on(StreamKind::compute, 2000000000000, Category::compute);
    backward.label = 1;
    backward.wait = {got, kNone};
    add(p, 1, backward);
    const report::Timeline t = report::timeline(p, execute(p), 1, 2, 20);
    CHECK(t.chart.to == doctest::Approx(3.5));
    REQUIRE(t.chart.rows.size() == 2);
    CHECK(t.left_out == 0);
    // Its pass, then its message, which is what its end waits for.
    REQUIRE(t.chart.rows[0].spans.size() == 2);
    CHECK(t.chart.rows[0].spans[0].end == doctest::Approx(1.0));
    REQUIRE(t.chart.rows[0].strip.size() == 1);
    // The second waits a second for the first's pass (a bubble: the ground) and half for the
    // message.
    REQUIRE(t.chart.rows[1].spans.size() == 2);
    std::set<std::string> words;
    for (const report::TimelineKey& k : t.keys) words.insert(k.words);
    CHECK(words == std::set<std::string>{"forward", "backward", "messages between stages",
                                         "nothing to do yet (bubble)"});
  }

  TEST_CASE("of many stages some are drawn, the first and the last among them") {
    Program p = empty_program(40, 0);
    for (int i = 0; i < 40; ++i) add(p, i, on(StreamKind::compute, 1000, Category::compute));
    const report::Timeline t = report::timeline(p, execute(p), 3, 40, 20);
    REQUIRE(t.chart.rows.size() == 20);
    CHECK(t.left_out == 20);
    CHECK(t.chart.rows.front().name == "stage 0");
    CHECK(t.chart.rows.back().name == "stage 39");
  }

  TEST_CASE("ranges are in one unit and dates are written out") {
    using namespace std::chrono;
    CHECK(report::range_text(1.9_days, 3.0_days) == "1.90 to 3.00 days");
    CHECK(report::range_text(0.5_h, 3.0_h) == "0.500 to 3.00 hours");
    CHECK(report::range_text(1.0_usd * 1e6, 1.0_usd * 2e6) == "$1.00 M to $2.00 M");
    CHECK(report::date_text(sys_days(2027y / March / 9)) == "9 March 2027");
    CHECK(report::energy_text(2.5e6) == "2.50 GWh");
    CHECK(report::mass_text(1.5e6) == "1,500 t");
  }
}

}  // namespace
}  // namespace forerun::sim
