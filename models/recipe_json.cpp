#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/json_writer.h"
#include "models/recipe.h"

namespace forerun::models {
namespace {

/// Reads fields that may be left out, and notes which were.
struct Optional {
  Reader& r;
  std::vector<std::string>& unstated;
  std::string prefix;
  void number(const char* key, double& into, double least, double most) {
    if (r.has(key)) {
      into = r.number(key, least, most);
    } else {
      unstated.push_back(prefix + key);
    }
  }
  template <class E, std::size_t N>
  void choice(const char* key, E& into, const std::array<Choice<E>, N>& choices) {
    if (r.has(key)) {
      into = r.choice(key, choices);
    } else {
      unstated.push_back(prefix + key);
    }
  }
};

void read_points(Reader& r, LearningRate& rate) {
  for (Reader p : r.objects("points")) {
    rate.points.push_back({p.number("progress", 0, 1), p.number("share", 0, 1)});
    p.finish();
  }
  const bool rising = std::ranges::adjacent_find(rate.points, [](const auto& a, const auto& b) {
                        return a.progress >= b.progress;
                      }) == rate.points.end();
  if (rate.points.size() < 2 || !rising) {
    r.problem("points", "must be two or more, by rising progress");
    rate.points = {{0, 1}, {1, 1}};
  }
}

LearningRate read_learning_rate(Reader r, std::vector<std::string>& unstated) {
  LearningRate rate;
  Optional o{r, unstated, "learning_rate."};
  if (r.has("peak")) {
    rate.peak = r.number("peak", 1e-12, 10);
  } else {
    unstated.emplace_back("learning_rate.peak");
  }
  o.choice("shape", rate.shape, kScheduleShapes);
  o.number("warm_up_steps", rate.warm_up_steps, 0, 1e9);
  const bool ends = rate.shape != ScheduleShape::constant && rate.shape != ScheduleShape::points;
  if (ends) o.number("final_share", rate.final_share, 0, 1);
  if (rate.shape == ScheduleShape::polynomial) o.number("power", rate.power, 1e-3, 100);
  if (rate.shape == ScheduleShape::points) read_points(r, rate);
  if (rate.shape == ScheduleShape::warm_stable_decay) {
    o.number("decay_share", rate.decay_share, 1e-6, 1);
    o.choice("decay", rate.decay, kDecayShapes);
    if (rate.decay == DecayShape::exponential && rate.final_share == 0) {
      r.problem("final_share", "0: an exponential decay never gets there");
    }
  }
  r.finish();
  return rate;
}

void read_ramp(Reader& r, Recipe& recipe) {
  for (Reader stage : r.objects("batch_ramp")) {
    recipe.batch_ramp.push_back(
        {stage.number("from_tokens", 0, 1e18), stage.number("share", 1e-6, 1)});
    stage.finish();
  }
  const auto& ramp = recipe.batch_ramp;
  if (ramp.empty() || ramp.front().from_tokens != 0) {
    r.problem("batch_ramp", "its first stage must be from_tokens 0");
  }
  for (std::size_t i = 1; i < ramp.size(); ++i) {
    if (ramp[i].from_tokens <= ramp[i - 1].from_tokens) {
      r.problem("batch_ramp", "from_tokens must rise");
      break;
    }
  }
}

}  // namespace

Recipe read_recipe(Reader& r) {
  Recipe recipe;
  if (r.has("learning_rate")) {
    recipe.learning_rate = read_learning_rate(r.object("learning_rate"), recipe.unstated);
  } else {
    recipe.unstated.emplace_back("learning_rate");
  }
  Optional o{r, recipe.unstated, ""};
  o.number("beta1", recipe.beta1, 0, 0.999999);
  o.number("beta2", recipe.beta2, 0, 0.999999);
  o.number("epsilon", recipe.epsilon, 0, 1);
  o.number("weight_decay", recipe.weight_decay, 0, 10);
  o.number("gradient_clip", recipe.gradient_clip, 0, 1e6);
  o.number("z_loss", recipe.z_loss, 0, 1);
  o.number("dropout", recipe.dropout, 0, 0.95);
  o.choice("initialisation", recipe.initialisation, kInitialisations);
  if (r.has("batch_ramp")) read_ramp(r, recipe);
  if (r.has("source")) recipe.source = r.text("source");
  r.finish();
  return recipe;
}

Recipe default_recipe() {
  Recipe recipe;
  recipe.unstated = {"learning_rate", "beta1",  "beta2",   "epsilon",       "weight_decay",
                     "gradient_clip", "z_loss", "dropout", "initialisation"};
  return recipe;
}

std::string recipe_json(const Recipe& recipe) {
  const auto stated = [&](const std::string& key) {
    return std::ranges::find(recipe.unstated, key) == recipe.unstated.end();
  };
  JsonWriter json;
  json.begin_object();
  const LearningRate& rate = recipe.learning_rate;
  if (stated("learning_rate")) {
    json.key("learning_rate").begin_object();
    const auto put = [&](const char* key, double value) {
      if (stated(std::string("learning_rate.") + key)) json.key(key).value(value);
    };
    if (rate.peak) json.key("peak").value(*rate.peak);
    if (stated("learning_rate.shape"))
      json.key("shape").value(name_in(kScheduleShapes, rate.shape));
    put("warm_up_steps", rate.warm_up_steps);
    if (rate.shape != ScheduleShape::constant && rate.shape != ScheduleShape::points) {
      put("final_share", rate.final_share);
    }
    if (rate.shape == ScheduleShape::polynomial) put("power", rate.power);
    if (rate.shape == ScheduleShape::warm_stable_decay) {
      put("decay_share", rate.decay_share);
      if (stated("learning_rate.decay")) json.key("decay").value(name_in(kDecayShapes, rate.decay));
    }
    if (rate.shape == ScheduleShape::points) {
      json.key("points").begin_array();
      for (const auto& p : rate.points) {
        json.begin_object().key("progress").value(p.progress).key("share").value(p.share);
        json.end_object();
      }
      json.end_array();
    }
    json.end_object();
  }
  const std::pair<const char*, double> fields[] = {{"beta1", recipe.beta1},
                                                   {"beta2", recipe.beta2},
                                                   {"epsilon", recipe.epsilon},
                                                   {"weight_decay", recipe.weight_decay},
                                                   {"gradient_clip", recipe.gradient_clip},
                                                   {"z_loss", recipe.z_loss},
                                                   {"dropout", recipe.dropout}};
  for (const auto& [key, value] : fields) {
    if (stated(key)) json.key(key).value(value);
  }
  if (stated("initialisation")) {
    json.key("initialisation").value(name_in(kInitialisations, recipe.initialisation));
  }
  if (!recipe.batch_ramp.empty()) {
    json.key("batch_ramp").begin_array();
    for (const BatchStage& b : recipe.batch_ramp) {
      json.begin_object().key("from_tokens").value(b.from_tokens).key("share").value(b.share);
      json.end_object();
    }
    json.end_array();
  }
  if (!recipe.source.empty()) json.key("source").value(recipe.source);
  json.end_object();
  return json.text();
}

}  // namespace forerun::models
