#include "models/architecture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/json_writer.h"
#include "models/architecture_parts_json.h"

namespace forerun::models {
namespace {

constexpr std::array kActivations = {
    Choice<Activation>{"gelu", Activation::gelu}, Choice<Activation>{"swiglu", Activation::swiglu},
    Choice<Activation>{"geglu", Activation::geglu}, Choice<Activation>{"relu", Activation::relu},
    Choice<Activation>{"squared_relu", Activation::squared_relu}};
constexpr std::array kPositions = {
    Choice<Position>{"rotary", Position::rotary}, Choice<Position>{"learned", Position::learned},
    Choice<Position>{"alibi", Position::alibi}, Choice<Position>{"none", Position::none}};
constexpr std::array kNorms = {Choice<Norm>{"layer_norm", Norm::layer_norm},
                               Choice<Norm>{"rms_norm", Norm::rms_norm},
                               Choice<Norm>{"layer_norm_1p", Norm::layer_norm_1p}};
constexpr std::array kNormOrders = {Choice<NormOrder>{"before", NormOrder::before},
                                    Choice<NormOrder>{"after", NormOrder::after},
                                    Choice<NormOrder>{"both", NormOrder::both}};

/// The fields that evidence and sources may be given for.
constexpr std::array<std::string_view, 37> kFields = {"all",
                                                      "layers",
                                                      "hidden",
                                                      "heads",
                                                      "kv_heads",
                                                      "head_dim",
                                                      "ffn",
                                                      "vocab",
                                                      "max_positions",
                                                      "activation",
                                                      "position",
                                                      "rotary_fraction",
                                                      "norm",
                                                      "norm_order",
                                                      "tied_embeddings",
                                                      "embedding_norm",
                                                      "linear_bias",
                                                      "qkv_bias",
                                                      "qk_norm",
                                                      "final_norm",
                                                      "parallel_block",
                                                      "bidirectional",
                                                      "attention_sinks",
                                                      "clamped_activation",
                                                      "scaled_rotary",
                                                      "modulation",
                                                      "conditioning_parameters",
                                                      "latent_attention",
                                                      "window",
                                                      "experts",
                                                      "towers",
                                                      "depth_routing",
                                                      "blocks",
                                                      "adapters",
                                                      "encoders",
                                                      "thoughts",
                                                      "multi_token_prediction"};

// Bounds that no model of this family comes near; their product stays below 2^63, so that parameter
// counts are exact.
constexpr std::int64_t kMostLayers = 10'000;
constexpr std::int64_t kMostWidth = 1 << 20;
constexpr std::int64_t kMostRows = 1 << 24;
constexpr std::int64_t kMostModulation = 64;

bool is_field(std::string_view key) {
  return std::find(kFields.begin(), kFields.end(), key) != kFields.end();
}

/// Reads the fields of one object into an architecture; with a base, only those that are there.
class FieldReader {
 public:
  FieldReader(Reader& reader, bool has_base) : reader_(reader), has_base_(has_base) {}

  void count(std::string_view key, std::int64_t most, std::int64_t& value) {
    if (wanted(key)) value = reader_.integer(key, 1, most);
  }
  template <class E, std::size_t N>
  void choice(std::string_view key, const std::array<Choice<E>, N>& choices, E& value) {
    if (wanted(key)) value = reader_.choice(key, choices);
  }
  void flag(std::string_view key, bool& value) {
    if (wanted(key)) value = reader_.boolean(key);
  }
  /// A flag that most models lack: absent means the default.
  void rare_flag(std::string_view key, bool& value) {
    if (reader_.has(key)) value = reader_.boolean(key);
  }

 private:
  bool wanted(std::string_view key) { return reader_.has(key) || !has_base_; }

  Reader& reader_;
  bool has_base_;
};

void read_provenance(Reader& reader, Architecture& a) {
  if (reader.has("evidence")) {
    Reader map = reader.object("evidence");
    for (const std::string& key : map.keys()) {
      if (is_field(key)) {
        a.evidence[key] = map.evidence(key);
      } else {
        map.problem(key, "no field of an architecture, nor \"all\"");
      }
    }
  }
  if (reader.has("source")) {
    Reader map = reader.object("source");
    for (const std::string& key : map.keys()) {
      if (is_field(key)) {
        a.source[key] = map.text(key);
      } else {
        map.problem(key, "no field of an architecture, nor \"all\"");
      }
    }
  }
}

void check_rules(Reader& reader, const Architecture& a) {
  if (a.kv_heads > 0 && a.heads % a.kv_heads != 0) {
    reader.problem("kv_heads", fmt::format("{} does not divide heads, {}", a.kv_heads, a.heads));
  }
  if (a.position == Position::learned && a.max_positions == 0) {
    reader.problem("max_positions", "missing: learned positions need their table's length");
  }
  if (a.position != Position::learned && a.max_positions != 0) {
    reader.problem("max_positions", fmt::format("{} given, but only learned positions have a table",
                                                a.max_positions));
  }
  if (a.scaled_rotary && a.position != Position::rotary) {
    reader.problem("scaled_rotary", "true, but the positions are not rotary");
  }
  if (a.clamped_activation && !a.gated()) {
    reader.problem("clamped_activation", "true, but the activation is not gated");
  }
  if (a.linear_bias && a.qkv_bias) {
    reader.problem("qkv_bias", "true, but linear_bias already gives every matrix a bias");
  }
}

}  // namespace

std::string_view name(Activation value) { return name_in(kActivations, value); }
std::string_view name(Position value) { return name_in(kPositions, value); }
std::string_view name(Norm value) { return name_in(kNorms, value); }
std::string_view name(NormOrder value) { return name_in(kNormOrders, value); }

Evidence Architecture::evidence_of(const std::string& field) const {
  if (const auto own = evidence.find(field); own != evidence.end()) return own->second;
  if (const auto all = evidence.find("all"); all != evidence.end()) return all->second;
  return Evidence::published;
}

Architecture read_architecture(Reader& reader) {
  Architecture a;
  const bool has_base = reader.has("base");
  if (has_base) {
    const std::string base = reader.text("base");
    const std::vector<std::string> names = architecture_names();
    if (std::find(names.begin(), names.end(), base) != names.end()) {
      a = load_architecture(base);
      a.published_names.clear();  // they are the base's
    } else {
      const std::string near = nearest(base, {names.begin(), names.end()});
      reader.problem("base",
                     fmt::format("\"{}\" is no model of the zoo{}", base,
                                 near.empty() ? "" : fmt::format(": did you mean {}?", near)));
    }
  }
  if (reader.has("name") || !has_base) a.name = reader.text("name");
  if (reader.has("family")) a.family = reader.text("family");
  if (reader.has("published_names")) a.published_names = reader.texts("published_names");

  FieldReader fields(reader, has_base);
  fields.count("layers", kMostLayers, a.layers);
  fields.count("hidden", kMostWidth, a.hidden);
  fields.count("heads", kMostWidth, a.heads);
  fields.count("kv_heads", kMostWidth, a.kv_heads);
  fields.count("head_dim", kMostWidth, a.head_dim);
  fields.count("ffn", kMostWidth, a.ffn);
  // A model of continuous tokens alone has no vocabulary.
  if (reader.has("vocab") || (!has_base && !reader.has("adapters"))) {
    a.vocab = reader.integer("vocab", reader.has("adapters") ? 0 : 1, kMostRows);
  }
  fields.choice("activation", kActivations, a.activation);
  fields.choice("position", kPositions, a.position);
  fields.choice("norm", kNorms, a.norm);
  fields.flag("tied_embeddings", a.tied_embeddings);
  fields.flag("linear_bias", a.linear_bias);
  fields.rare_flag("embedding_norm", a.embedding_norm);
  fields.rare_flag("qkv_bias", a.qkv_bias);
  fields.rare_flag("qk_norm", a.qk_norm);
  fields.rare_flag("final_norm", a.final_norm);
  fields.rare_flag("parallel_block", a.parallel_block);
  fields.rare_flag("bidirectional", a.bidirectional);
  fields.rare_flag("attention_sinks", a.attention_sinks);
  fields.rare_flag("clamped_activation", a.clamped_activation);
  fields.rare_flag("scaled_rotary", a.scaled_rotary);
  if (reader.has("norm_order")) a.norm_order = reader.choice("norm_order", kNormOrders);
  if (reader.has("modulation")) a.modulation = reader.integer("modulation", 0, kMostModulation);
  if (reader.has("conditioning_parameters")) {
    a.conditioning_parameters = reader.integer("conditioning_parameters", 0, 1ll << 50);
  }
  read_parts(reader, a);
  // What only the base's positions had goes with them.
  if (a.position != Position::learned) a.max_positions = 0;
  if (a.position != Position::rotary) {
    a.rotary_fraction = 0.0;
  } else if (a.rotary_fraction == 0.0) {
    a.rotary_fraction = 1.0;
  }
  if (reader.has("max_positions")) a.max_positions = reader.integer("max_positions", 1, kMostRows);
  if (reader.has("rotary_fraction")) {
    a.rotary_fraction = reader.number("rotary_fraction", 0.0, 1.0);
    if (a.position != Position::rotary) {
      reader.problem("rotary_fraction", "given, but the positions are not rotary");
    }
  }

  read_provenance(reader, a);
  check_rules(reader, a);
  check_parts(reader, a);
  reader.finish();
  return a;
}

Architecture load_architecture(const std::string& name) {
  const std::vector<std::string> names = architecture_names();
  if (!std::ranges::binary_search(names, name)) {
    throw Error(ExitCode::wrong, fmt::format("there is no model \"{}\"", name),
                did_you_mean(name, names, "forerun list models names them all"));
  }
  const std::string path = data_path("models/zoo/" + name + ".json");
  Problems problems;
  const JsonDocument document = JsonDocument::load(path, problems);
  Reader reader = document.root(problems);
  Architecture a = read_architecture(reader);
  if (a.name != name) {
    problems.add("/name", fmt::format("\"{}\" is not the file's name, \"{}\"", a.name, name));
  }
  if (!a.source.contains("all"))
    problems.add("/source/all", "missing: a zoo entry names its source");
  if (!problems.empty()) throw Error(ExitCode::wrong, problems.text(path));
  return a;
}

std::string architecture_json(const Architecture& a) {
  std::string out = fmt::format(
      "{{\"name\": {}, \"family\": {}, \"layers\": {}, \"hidden\": {}, \"heads\": {}, "
      "\"kv_heads\": {}, \"head_dim\": {}, \"ffn\": {}, \"vocab\": {}, \"activation\": \"{}\", "
      "\"position\": \"{}\", \"norm\": \"{}\", \"tied_embeddings\": {}, \"embedding_norm\": {}, "
      "\"linear_bias\": {}, \"qkv_bias\": {}, \"qk_norm\": {}, \"final_norm\": {}, "
      "\"norm_order\": \"{}\", \"parallel_block\": {}, \"bidirectional\": {}, "
      "\"attention_sinks\": {}, \"clamped_activation\": {}, \"scaled_rotary\": {}, "
      "\"modulation\": {}, \"conditioning_parameters\": {}",
      json_quoted(a.name), json_quoted(a.family), a.layers, a.hidden, a.heads, a.kv_heads,
      a.head_dim, a.ffn, a.vocab, name(a.activation), name(a.position), name(a.norm),
      a.tied_embeddings, a.embedding_norm, a.linear_bias, a.qkv_bias, a.qk_norm, a.final_norm,
      name(a.norm_order), a.parallel_block, a.bidirectional, a.attention_sinks,
      a.clamped_activation, a.scaled_rotary, a.modulation, a.conditioning_parameters);
  if (a.max_positions > 0) out += fmt::format(", \"max_positions\": {}", a.max_positions);
  if (a.position == Position::rotary) {
    out += fmt::format(", \"rotary_fraction\": {}", a.rotary_fraction);
  }
  return out + parts_json(a) + "}";
}

std::vector<std::string> architecture_names() { return data_names("models/zoo"); }

}  // namespace forerun::models
