#pragma once

/// Reads a Hugging Face config.json as an architecture, as a zoo entry would state it.
///
/// What such a file says is its class's business, and classes differ in names and in what they
/// leave out: the width of one expert is `intermediate_size` (Mixtral, OLMoE, gpt-oss, Llama 4) or
/// `moe_intermediate_size` (Qwen, DeepSeek), the head width is not hidden / heads in Qwen3, Gemma
/// and gpt-oss, Gemma 2 ties its embeddings without saying so, DeepSeek's `num_key_value_heads` is
/// not what its cache holds. Each model type has its own reader (models/import/families.h).
///
/// Of an importer's making, and told in `notes`: what stands for absent keys, and what this family
/// of architectures has otherwise. Left out: vision towers of Gemma 4, Llama 4 and Chameleon's
/// tokeniser, soft caps of scores, clipping, quantisation; such keys are in `ignored`.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "models/architecture.h"

namespace forerun::models {

struct ImportedModel {
  Architecture architecture;
  std::string model_type;
  std::vector<std::string> notes;    ///< "KEY: what stands for it, and why"
  std::vector<std::string> ignored;  ///< keys that nothing was made of, with their paths
};

/// `name` is the entry's; `origin` says where the text is from, for its source. Nothing if there
/// are problems: a model type that is not known, keys that are missing or wrong, or a shape that
/// breaks a rule of architectures.
[[nodiscard]] std::optional<ImportedModel> import_config(std::string_view text,
                                                         const std::string& name,
                                                         const std::string& origin,
                                                         Problems& problems);

/// The text of a zoo entry, one field a line, with evidence and sources.
[[nodiscard]] std::string zoo_json(const Architecture&);

}  // namespace forerun::models
