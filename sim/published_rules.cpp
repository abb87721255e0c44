#include "sim/published_rules.h"

#include <array>
#include <span>
#include <utility>

#include "core/error.h"
#include "core/file.h"

namespace forerun::sim {
namespace {

using models::ContextExchange;

constexpr std::array kExchanges = {
    std::pair<std::string_view, ContextExchange>{"ring", ContextExchange::ring},
    std::pair<std::string_view, ContextExchange>{"all_gather", ContextExchange::all_gather},
    std::pair<std::string_view, ContextExchange>{"all_to_all", ContextExchange::all_to_all}};

constexpr double kMostGbps = 1e6;

/// "h100" begins "h100-sxm-80gb", "gb2" does not begin "gb200".
bool begins_name(std::string_view name, std::string_view beginning) {
  return name.starts_with(beginning) &&
         (name.size() == beginning.size() || name[beginning.size()] == '-');
}

void optional_text(Reader& r, std::string_view key, std::string& out) {
  if (r.has(key)) out = r.text(key);
}

}  // namespace

bool PublishedRule::matches(const RunIdentity& run) const {
  return (framework.empty() || framework == run.framework) &&
         (accelerator.empty() || begins_name(run.accelerator, accelerator)) &&
         run.source.starts_with(published_by) &&
         (network_gbps == 0 || network_gbps == run.network_gbps);
}

std::vector<PublishedRule> read_published_rules(Reader& top) {
  top.integer("schema", 1, 1);
  top.text("what");
  std::vector<PublishedRule> rules;
  for (Reader& r : top.objects("rules")) {
    PublishedRule rule;
    optional_text(r, "framework", rule.framework);
    optional_text(r, "accelerator", rule.accelerator);
    optional_text(r, "published_by", rule.published_by);
    if (r.has("network_gbps")) rule.network_gbps = r.number("network_gbps", 1, kMostGbps);
    optional_text(r, "preset", rule.preset);
    optional_text(r, "network", rule.network);
    if (r.has("context_exchange")) {
      rule.context_exchange =
          r.choice("context_exchange",
                   std::span<const std::pair<std::string_view, ContextExchange>>(kExchanges));
    }
    if (r.has("power_cap")) rule.power_cap = r.watts("power_cap");
    rule.source = r.text("source");
    if (rule.preset.empty() && rule.network.empty() && !rule.context_exchange && !rule.power_cap) {
      r.problem("", "decides nothing: preset, network, context_exchange or power_cap is missing");
    }
    r.finish();
    rules.push_back(std::move(rule));
  }
  top.finish();
  return rules;
}

PublishedRules::PublishedRules() {
  Problems problems;
  const std::string path = data_path("sim/published_runs.json");
  const JsonDocument document = JsonDocument::load(path, problems);
  Reader top = document.root(problems);
  rules_ = read_published_rules(top);
  if (!problems.empty()) throw Error(ExitCode::wrong, problems.text(path));
}

template <class Decides>
const PublishedRule* PublishedRules::first(const RunIdentity& run, Decides decides) const {
  for (const PublishedRule& rule : rules_) {
    if (decides(rule) && rule.matches(run)) return &rule;
  }
  return nullptr;
}

const PublishedRule* PublishedRules::preset(const RunIdentity& run) const {
  return first(run, [](const PublishedRule& rule) { return !rule.preset.empty(); });
}
const PublishedRule* PublishedRules::network(const RunIdentity& run) const {
  return first(run, [](const PublishedRule& rule) { return !rule.network.empty(); });
}
const PublishedRule* PublishedRules::context_exchange(const RunIdentity& run) const {
  return first(run, [](const PublishedRule& rule) { return rule.context_exchange.has_value(); });
}
const PublishedRule* PublishedRules::power_cap(const RunIdentity& run) const {
  return first(run, [](const PublishedRule& rule) { return rule.power_cap.has_value(); });
}

}  // namespace forerun::sim
