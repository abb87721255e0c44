#pragma once

/// Whether runs can tell a form's constants apart at all.

#include <string>
#include <vector>

#include "core/problem.h"

namespace forerun::models {

/// How many of `values` differ by more than 2 %.
[[nodiscard]] std::size_t distinct(std::vector<double> values);

/// Refuses fewer runs than constants and one to spare, which tells the scatter.
void check_count(const std::string& what, std::size_t runs, std::size_t constants, Problems&);
/// Refuses fewer than `least` different `values`; `why` ends the sentence.
void check_distinct(const std::string& what, const std::string& of,
                    const std::vector<double>& values, std::size_t least, const std::string& why,
                    Problems&);

}  // namespace forerun::models
