#pragma once

/// Reads and writes the parts of models/architecture_parts.h. Private to models/.

#include <string>

#include "core/reader.h"
#include "models/architecture.h"

namespace forerun::models {

/// Reads those parts that the object has into `a`, each whole. A part that is there replaces the
/// base's; `null` leaves it.
void read_parts(Reader&, Architecture& a);
/// Rules of the parts among themselves and with the model's fields.
void check_parts(Reader&, const Architecture& a);
/// ", \"experts\": {...}" ... of those that `a` has.
[[nodiscard]] std::string parts_json(const Architecture& a);

}  // namespace forerun::models
