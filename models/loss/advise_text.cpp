#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/json_writer.h"
#include "core/table.h"
#include "models/loss/advise.h"

namespace forerun::models {
namespace {

constexpr std::array kTopics = {Choice<AdviceTopic>{"size", AdviceTopic::size},
                                Choice<AdviceTopic>{"tokens", AdviceTopic::tokens},
                                Choice<AdviceTopic>{"share", AdviceTopic::share},
                                Choice<AdviceTopic>{"loss", AdviceTopic::loss},
                                Choice<AdviceTopic>{"passes", AdviceTopic::passes},
                                Choice<AdviceTopic>{"batch", AdviceTopic::batch},
                                Choice<AdviceTopic>{"learning rate", AdviceTopic::learning_rate}};

std::string shown(AdviceTopic topic, double v) {
  switch (topic) {
    case AdviceTopic::size:
    case AdviceTopic::tokens:
    case AdviceTopic::batch:
      return show_count(v);
    case AdviceTopic::share:
      return show_percent(v);
    case AdviceTopic::loss:
      return significant(v, 4);
    case AdviceTopic::passes:
      return significant(v, 3);
    case AdviceTopic::learning_rate:
      return fmt::format("{:.2e}", v);
  }
  return {};
}

std::string title(const AdviceRow& row) {
  std::string out(name(row.topic));
  if (row.topic == AdviceTopic::batch) out += ", tokens";
  if (row.topic == AdviceTopic::loss && row.of.empty()) return "loss, weighted";
  return row.of.empty() ? out : fmt::format("{}, {}", out, row.of);
}

std::string domain_of(const AdviceRow& row) {
  if (!row.outside.empty()) return "outside";
  return row.domain_known ? "inside" : "not known";
}

/// Sentences under a heading, each once.
void list(std::string& out, const std::string& heading, const std::vector<std::string>& sentences) {
  std::vector<std::string> seen;
  for (const std::string& s : sentences) {
    if (std::ranges::find(seen, s) != seen.end()) continue;
    if (seen.empty()) out += fmt::format("\n{}\n", heading);
    out += fmt::format("  {}\n", s);
    seen.push_back(s);
  }
}

/// What rules say, each sentence once with all rules that say it before it.
class Said {
 public:
  void add(const std::string& rule, const std::string& sentence) {
    const auto it = std::ranges::find(said_, sentence, &Sentence::text);
    std::vector<std::string>& rules =
        (it == said_.end() ? said_.emplace_back(sentence) : *it).rules;
    if (std::ranges::find(rules, rule) == rules.end()) rules.push_back(rule);
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const Sentence& s : said_) {
      out.push_back(fmt::format("{}: {}", fmt::join(s.rules, "; "), s.text));
    }
    return out;
  }

 private:
  struct Sentence {
    explicit Sentence(std::string t) : text(std::move(t)) {}
    std::string text;
    std::vector<std::string> rules;
  };
  std::vector<Sentence> said_;
};

void texts(JsonWriter& json, const char* key, const std::vector<std::string>& values) {
  json.key(key).begin_array();
  for (const std::string& v : values) json.value(v);
  json.end_array();
}

}  // namespace

std::string_view name(AdviceTopic topic) { return name_in(kTopics, topic); }

std::string advice_text(const Advice& advice) {
  Table table({{"what", Table::Align::left},
               {"value", Table::Align::right},
               {"80 % band", Table::Align::left},
               {"by", Table::Align::left},
               {"evidence", Table::Align::left},
               {"domain", Table::Align::left}});
  std::vector<std::string> outside;
  Said notes, sources;
  for (const AdviceRow& row : advice.rows) {
    const std::string band = row.band ? fmt::format("{} to {}", shown(row.topic, row.band->low),
                                                    shown(row.topic, row.band->high))
                                      : "";
    table.row({title(row), row.value ? shown(row.topic, *row.value) : "refused", band, row.rule,
               std::string(name(row.evidence)), domain_of(row)});
    for (const std::string& o : row.outside) outside.push_back(o);
    for (const std::string& n : row.notes) notes.add(row.rule, n);
    sources.add(row.rule, row.source);
  }
  std::string out = fmt::format("For {:.3g} FLOPs\n\n{}", advice.flops, table.text());
  list(out, "Outside what a rule rests on", outside);
  list(out, "Notes", notes.lines());
  list(out, "Assumed throughout", advice.assumptions);
  list(out, "Sources", sources.lines());
  return out;
}

std::string advice_json(const Advice& advice) {
  JsonWriter json;
  json.begin_object().key("flops").value(advice.flops).key("rows").begin_array();
  for (const AdviceRow& row : advice.rows) {
    json.begin_object().key("what").value(name(row.topic)).key("of").value(row.of);
    json.key("value").value(row.value).key("band_80");
    if (row.band) {
      json.begin_array().value(row.band->low).value(row.band->high).end_array();
    } else {
      json.null();
    }
    json.key("rule").value(row.rule).key("evidence").value(forerun::name(row.evidence));
    json.key("source").value(row.source);
    json.key("domain_known").value(row.domain_known);
    texts(json, "outside", row.outside);
    texts(json, "notes", row.notes);
    json.end_object();
  }
  json.end_array();
  texts(json, "assumptions", advice.assumptions);
  json.end_object();
  return json.text();
}

}  // namespace forerun::models
