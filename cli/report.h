#pragma once

/// The blocks that answers are made of, as text for people and as JSON for programs.

#include <string>
#include <string_view>

#include "cli/command.h"
#include "core/json_writer.h"
#include "sim/memory.h"
#include "sim/scenario.h"
#include "sim/step.h"

namespace forerun::cli {

/// The name of a category as a key: "tensor_exchange".
[[nodiscard]] std::string category_key(std::size_t category);
/// `fraction` of `width` cells as a bar, in eighths of a cell.
[[nodiscard]] std::string bar(double fraction, int width);

/// `text` in lines of at most 100 letters, broken between words, each `indent` cells to the right.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent);
/// A step's time: in seconds, four digits, also where minutes would be shorter.
[[nodiscard]] std::string show_step(Seconds);

/// "llama3-405b on 16,384 h100-sxm-80gb", the plan, the framework: what was asked.
[[nodiscard]] std::string question_text(const sim::Scenario&);
/// "stage 3", or "stage 3 of lane 1" where lanes differ.
[[nodiscard]] std::string rank_text(const sim::StepResult&);
/// Where the time of the rank that ends last goes, largest first.
[[nodiscard]] std::string breakdown_text(const sim::StepResult&);
/// "clock 82 % of the burst clock, 700 W on the mean", and, where that is more than the accelerator
/// may draw, that its cap cannot be held.
[[nodiscard]] std::string power_text(const sim::Scenario&, const sim::StepResult&);
/// Peak of the worst stage by owner; if it does not fit, by how much and what would.
[[nodiscard]] std::string memory_text(const sim::MemoryResult&);
/// Evidence of kernel times and inputs, what was assumed, seed, version, hash.
[[nodiscard]] std::string evidence_text(const sim::Scenario&, const sim::StepResult&);
/// "infeasible: 14.2 GiB over on stage 0 ...".
[[nodiscard]] std::string infeasible_text(const sim::MemoryResult&);

void write_question(JsonWriter&, const sim::Scenario&);
void write_step(JsonWriter&, const sim::StepResult&);
void write_memory(JsonWriter&, const sim::MemoryResult&);
/// Every input's evidence and source, and what was assumed.
void write_inputs(JsonWriter&, const sim::Scenario&);
void write_identity(JsonWriter&, const sim::Scenario&);

/// Text to standard output and JSON to the file that --json names, or only JSON to standard output
/// where it names "-".
void deliver(const Options&, const std::string& text, const JsonWriter& json);

/// Answers a scenario that does not fit in memory, with exit code 3.
int deliver_infeasible(const Options&, const sim::Scenario&, const sim::MemoryResult&);

/// Writes the step's trace to the file that --trace names, if it does.
void write_trace(const Options&, const sim::Scenario&, const sim::StepResult&);

}  // namespace forerun::cli
