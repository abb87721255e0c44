#pragma once

/// Latent attention's projections (models/architecture_parts.h): the hidden state down to the
/// latents, a norm of each, and up to the heads' queries, keys and values. The down-projections are
/// whole on every tensor rank and run on the tokens outside tensor-parallel regions; the latents
/// are gathered where those are cut (Megatron-Core, multi_latent_attention.py). Private to models/.

#include "models/layer.h"
#include "models/layer_forward.h"

namespace forerun::models {

void latent_forward(const Layer&, Wanted);
void latent_backward(const Layer&);

}  // namespace forerun::models
