#include "sim/scenario_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/json_writer.h"
#include "models/mixture/mixture.h"

namespace forerun::sim {
namespace {

/// A law by name or path; what is wrong with it is a problem at the key.
std::optional<models::Law> named_law(Reader& r, const char* key, const std::string& name) {
  try {
    return models::load_law(name);
  } catch (const Error& e) {
    std::string what = e.hint().empty() ? e.what() : fmt::format("{}: {}", e.what(), e.hint());
    while (what.ends_with('\n')) what.pop_back();
    for (std::size_t at = 0; (at = what.find('\n', at)) != what.npos;) what.replace(at, 1, "; ");
    r.problem(key, what);
    return std::nullopt;
  }
}

void read_law_choice(Reader& r, LossSection& out) {
  if (r.has("law")) {
    out.law = r.text("law");
    out.stated = named_law(r, "law", out.law);
    if (out.stated && out.stated->form != "interaction" && out.stated->form != "power") {
      r.problem("law", fmt::format("\"{}\" is of form {}: the losses of a run need one of form "
                                   "interaction or power",
                                   out.law, out.stated->form));
      out.stated.reset();
    }
  }
  if (r.has("schedule")) {
    out.schedule = r.text("schedule");
    const std::optional<models::Law> schedule = named_law(r, "schedule", out.schedule);
    if (schedule && schedule->form != "multi_power") {
      r.problem("schedule",
                fmt::format("\"{}\" is of form {}, not multi_power", out.schedule, schedule->form));
    }
  }
  if (!r.has("assume")) return;
  Reader assume = r.object("assume");
  if (!out.stated) {
    if (out.law.empty()) r.problem("assume", "given, but no law that it would complete");
    return;
  }
  for (const std::string& name : assume.keys()) {
    models::assume_constant(*out.stated, name, assume);
    out.assumed.push_back(name);
  }
  assume.finish();
}

std::map<std::string, double> read_shares(Reader& stage) {
  std::map<std::string, double> shares;
  if (stage.has("mixture")) {
    const std::string name = stage.text("mixture");
    const std::vector<std::string> names = models::mixture_names();
    if (std::ranges::find(names, name) == names.end()) {
      stage.problem("mixture",
                    did_you_mean(name, names, fmt::format("there are {}", fmt::join(names, ", "))));
      return shares;
    }
    try {
      shares = models::law_shares(models::load_mixture(name));
    } catch (const Error& e) {
      stage.problem("mixture", e.hint().empty() ? std::string(e.what())
                                                : fmt::format("{}: {}", e.what(), e.hint()));
    }
    if (stage.has("shares")) stage.problem("shares", "given, and so is mixture");
    return shares;
  }
  Reader r = stage.object("shares");
  double sum = 0;
  for (const std::string& name : r.keys()) sum += shares[name] = r.number(name, 0, 1);
  r.finish();
  if (std::abs(sum - 1) > 1e-9) {
    stage.problem("shares", fmt::format("sum to {:.9g}, not to 1", sum));
  }
  return shares;
}

void read_stages(Reader& r, LossSection& out) {
  for (Reader stage : r.objects("stages")) {
    LossStage s;
    s.from_tokens = stage.number("from_tokens", 0, kMostTokens);
    s.shares = read_shares(stage);
    stage.finish();
    if (out.stages.empty() ? s.from_tokens != 0 : s.from_tokens <= out.stages.back().from_tokens) {
      stage.problem("from_tokens", out.stages.empty() ? "the first stage begins at 0"
                                                      : "must be beyond the stage before");
    }
    out.stages.push_back(std::move(s));
  }
  if (out.stages.empty()) r.problem("stages", "empty: leave it out, or state one");
}

}  // namespace

LossSection read_loss_section(Reader& r) {
  LossSection out;
  read_law_choice(r, out);
  if (r.has("unique_tokens")) {
    Reader unique = r.object("unique_tokens");
    for (const std::string& name : unique.keys()) {
      out.unique_tokens[name] = unique.number(name, 1, kMostTokens);
    }
    unique.finish();
  }
  if (r.has("stages")) read_stages(r, out);
  r.finish();
  return out;
}

std::string loss_section_json(const LossSection& s) {
  JsonWriter json;
  json.begin_object();
  if (!s.law.empty()) json.key("law").value(s.law);
  if (!s.assumed.empty()) {
    json.key("assume").begin_object();
    for (const std::string& name : s.assumed) {
      const models::Constant& c = s.stated->constants.at(name);
      json.key(name).begin_object().key("value").value(c.value);
      if (c.spread == models::Spread::standard_error) {
        json.key("standard_error").value(c.high);
      } else {
        json.key(c.spread == models::Spread::range         ? "range"
                 : c.spread == models::Spread::interval_90 ? "interval_90"
                                                           : "interval_95");
        json.begin_array().value(c.low).value(c.high).end_array();
      }
      json.key("source").value(c.source).end_object();
    }
    json.end_object();
  }
  json.key("schedule").value(s.schedule);
  if (!s.unique_tokens.empty()) {
    json.key("unique_tokens").begin_object();
    for (const auto& [name, tokens] : s.unique_tokens) json.key(name).value(tokens);
    json.end_object();
  }
  if (!s.stages.empty()) {
    json.key("stages").begin_array();
    for (const LossStage& stage : s.stages) {
      json.begin_object().key("from_tokens").value(stage.from_tokens).key("shares").begin_object();
      for (const auto& [name, share] : stage.shares) json.key(name).value(share);
      json.end_object().end_object();
    }
    json.end_array();
  }
  json.end_object();
  return json.text();
}

}  // namespace forerun::sim
