#pragma once

/// What a framework does with device memory beyond the states themselves: facts of its preset
/// (sim/frameworks/NAME.json), each with its source there. Part of sim/framework.h.

#include <cstdint>

#include "core/quantity.h"

namespace forerun::sim {

/// Where a matrix's gradient is before it is in the accumulated gradient.
enum class WeightGradients : std::uint8_t {
  in_product,  ///< the product adds into the accumulated gradient: nowhere
  per_matrix,  ///< a 16-bit tensor, until it is added, matrix by matrix
  per_pass,    ///< 16-bit tensors of all matrices, added when the backward pass has ended
  kept         ///< 16-bit tensors that stay beside the accumulated gradients
};

/// What a published memory of the framework's runs counts.
enum class ReportedMemory : std::uint8_t {
  allocated,  ///< in use: max_memory_allocated
  reserved,   ///< held by the caching allocator: max_memory_reserved
  device      ///< of the whole device: nvidia-smi
};

struct MemoryHabits {
  ReportedMemory reported = ReportedMemory::allocated;
  bool reports_first_stage = false;  ///< else the stage that has most
  WeightGradients weight_gradients = WeightGradients::in_product;
  /// One uninitialised 16-bit gradient a matrix shape, returned to autograd in place of the
  /// gradient that the product accumulated itself, and kept for the next layer (Transformer
  /// Engine).
  bool keeps_empty_gradients = false;
  /// models::KernelChoices::compact_activations. The time of the conversions is left out.
  bool compact_activations = false;
  /// Of a parameter, in flat buckets held beside the gradients when replicas exchange them (DDP).
  int gradient_bucket_bytes = 0;
  /// Updated parameters are gathered into a flat copy of all of them.
  bool gathers_through_copies = false;
  /// Kept buffers of a whole sequence's hidden state for gathers of sequence parallelism.
  int sequence_buffers = 0;
  /// A stage's output stays until its backward pass though the next stage has it.
  bool keeps_sent_outputs = false;
  /// Fully sharded: the unit of embedding and head stays whole during both passes.
  bool root_unit_stays = false;
  int loss_forward_bytes = 4;   ///< of a logit, the most that lives at once in the loss
  int loss_kept_bytes = 2;      ///< of a logit, from the loss to its backward pass
  int loss_backward_bytes = 4;  ///< of a logit, the most that lives at once in its backward pass
  /// Whole-sequence buffers of tensor-parallel exchanges that the host has freed and the device not
  /// reached: a caching allocator does not hand out what another stream still uses. As many as the
  /// launch queue holds (1024 launches) when the host is ahead.
  int waiting_exchanges = 0;
  Seconds layer_issue{};             ///< host time to issue a layer's forward pass
  std::int64_t workspace_bytes = 0;  ///< of matrix products, allocated
  /// Of what lives (not the states): blocks of the caching allocator that are free but of no use.
  double allocator_slack = 0.0;
  std::int64_t outside_bytes = 0;  ///< context, libraries and communicators, not in the allocator
};

}  // namespace forerun::sim
