#include "sim/planner/search_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <string>

namespace forerun::sim {
namespace {

constexpr double kMostDays = 36'500;
constexpr double kMostLoss = 100;
constexpr double kMostShare = 0.95;

std::vector<Choices> read_choices(Reader& top) {
  std::vector<Choices> all;
  if (!top.has("choices")) return all;
  std::set<std::string> kinds;
  for (Reader& at : top.objects("choices")) {
    Choices choice;
    choice.of = at.text("of");
    if (!kinds.insert(choice.of).second) {
      at.problem("of", fmt::format("\"{}\" is a choice before", choice.of));
    }
    std::set<std::string> names;
    for (Reader& one : at.objects("options")) {
      Option option{one.text("name"), one.texts("set")};
      if (!names.insert(option.name).second) {
        one.problem("name", fmt::format("\"{}\" is an option before", option.name));
      }
      for (const std::string& edit : option.set) {
        const std::size_t equals = edit.find('=');
        if (equals == std::string::npos || equals == 0) {
          one.problem("set", fmt::format("\"{}\": expected PATH=VALUE", edit));
        }
      }
      one.finish();
      choice.options.push_back(std::move(option));
    }
    if (choice.options.empty()) at.problem("options", "no option to choose");
    at.finish();
    all.push_back(std::move(choice));
  }
  return all;
}

std::optional<std::chrono::sys_days> day_of(const hw::PriceDate& date) {
  using namespace std::chrono;
  const year_month_day ymd{year(date.year), month(static_cast<unsigned>(date.month)),
                           day(static_cast<unsigned>(date.day))};
  return ymd.ok() ? std::optional(sys_days(ymd)) : std::nullopt;
}

std::optional<std::chrono::sys_days> read_day(Reader& top, std::string_view key) {
  const std::string text = top.text(key);
  const std::optional<hw::PriceDate> date = hw::price_date(text);
  const auto day = date && date->day > 0 ? day_of(*date) : std::nullopt;
  if (!day) top.problem(key, fmt::format("\"{}\" is no day like 2027-02-01", text));
  return day;
}

/// A stated date is a number of days from the start, or from today.
std::optional<Seconds> read_within(Reader& top, const hw::PriceDate& today) {
  std::optional<Seconds> within;
  if (top.has("days")) {
    const double days = top.number("days", 0, kMostDays);
    if (days <= 0) top.problem("days", "must be above 0");
    within = days * 1.0_days;
  }
  const bool starts = top.has("start");
  const auto start = starts ? read_day(top, "start") : day_of(today);
  if (!top.has("finish_by")) {
    if (starts) top.problem("start", "given, but not finish_by");
    return within;
  }
  const auto finish = read_day(top, "finish_by");
  if (within) top.problem("finish_by", "given, and so is days: a search has one of them");
  if (!start || !finish) return within;
  if (*finish <= *day_of(today)) {
    top.problem("finish_by",
                fmt::format("{} is past: today is {}", top.text("finish_by"), hw::text(today)));
  } else if (*finish <= *start) {
    top.problem("finish_by", "not after the start");
  }
  return static_cast<double>((*finish - *start).count()) * 1.0_days;
}

}  // namespace

void check_question(const DecisionQuestion& q, Problems& problems) {
  if (q.goal == Goal::time && (q.budget || q.within || q.loss_at_most || q.free_tokens)) {
    problems.add("/goal",
                 "\"time\" is of one step, which no budget, days or loss limit: state "
                 "cost, loss or date");
  }
  const bool limited = q.loss_at_most || q.budget || q.within;
  if (q.free_tokens && !limited) {
    problems.add("/free_tokens",
                 "true, but neither loss_at_most, nor budget, nor days says how many to train");
  }
  if (q.free_tokens && !q.loss_at_most && q.goal != Goal::loss) {
    problems.add("/free_tokens", fmt::format("true, but the goal {} without loss_at_most would "
                                             "train one step",
                                             name(q.goal)));
  }
  if (!q.modality.empty() && !q.loss_at_most && q.goal != Goal::loss) {
    problems.add("/modality", "given, but no loss is asked");
  }
}

SearchFile read_search_file(const JsonDocument& document, const Scenario& scenario,
                            const hw::PriceDate& today, Problems& problems) {
  SearchFile file;
  if (!document.readable()) return file;
  Reader top = document.root(problems);
  top.integer("schema", 1, 1);
  if (top.has("goal")) {
    file.goal = top.choice("goal", kGoals);
    file.question.goal = *file.goal;
  }
  DecisionQuestion& q = file.question;
  if (top.has("loss_at_most")) {
    q.loss_at_most = top.number("loss_at_most", 0, kMostLoss);
    if (*q.loss_at_most <= 0) top.problem("loss_at_most", "must be above 0");
  }
  if (top.has("modality")) q.modality = top.text("modality");
  if (top.has("budget")) {
    q.budget = top.dollars("budget");
    if (*q.budget <= Dollars(0)) top.problem("budget", "must be above 0");
  }
  q.within = read_within(top, today);
  if (top.has("free_tokens")) q.free_tokens = top.boolean("free_tokens");
  q.choices = read_choices(top);
  if (top.has("uncertain")) {
    Reader at = top.object("uncertain");
    if (at.has("price")) file.uncertain.price = at.number("price", 0, kMostShare);
    if (at.has("network")) file.uncertain.network = at.number("network", 0, kMostShare);
    at.finish();
  }
  if (top.has("plan")) {
    Reader plan = top.object("plan");
    (void)read_search_space(plan, scenario);
  }
  top.finish();
  return file;
}

SearchSpace space_of(const JsonDocument& document, const Scenario& s, Problems& problems) {
  Reader top = document.root(problems);
  if (!top.has("plan")) return default_space(s);
  Reader plan = top.object("plan");
  return read_search_space(plan, s);
}

}  // namespace forerun::sim
