#pragma once

/// How each model type of Hugging Face's transformers states a shape. A reader fills an
/// architecture from the keys of its class, whose fixed traits (norms of heads, biases, gates) it
/// knows; sources are the classes' configuration and modelling files in huggingface/transformers.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/architecture.h"
#include "models/import/config_reader.h"

namespace forerun::models {

struct ConfigFamily {
  std::string_view model_type;
  void (*read)(ConfigReader&, Architecture&);
};
[[nodiscard]] std::vector<ConfigFamily> dense_families();
[[nodiscard]] std::vector<ConfigFamily> expert_families();
[[nodiscard]] std::vector<ConfigFamily> nested_families();

/// Marks `field` with weaker evidence than published, and says why in its source.
void mark(Architecture&, const std::string& field, Evidence, const std::string& why);

/// What Llama's class has, and all that follow it: gated, RMS norm, rotary.
void read_llama(ConfigReader&, Architecture&);
/// The same without what is said of tied embeddings and biases.
void read_gated_block(ConfigReader&, Architecture&);
/// `tie_word_embeddings`; the class's default is `otherwise`.
void read_tied(ConfigReader&, Architecture&, bool otherwise);
void read_qwen2(ConfigReader&, Architecture&);
/// The activation named at `key`, gated or not.
[[nodiscard]] Activation read_activation(ConfigReader&, std::string_view key, bool gated);
/// `sliding_window`, of all layers, if it is there.
void read_sliding_window(ConfigReader&, Architecture&);
/// `sliding_window` of the layers that `layer_types` says; every `usual`-th sees all where that is
/// absent.
void read_layer_types(ConfigReader&, Architecture&, std::int64_t usual);

}  // namespace forerun::models
