#pragma once

/// A store's points as a table for other programs.

#include <string>

#include "sim/sweep/sweep.h"

namespace forerun::sim {

/// Writes FILE, a CSV (RFC 4180: CRLF, quotes doubled) of all points in their order, failed ones
/// too, and FILE.schema.json, which says each column's name, type (int64, double, bool, string),
/// unit and whether it has gaps. A column has one type; a gap is an empty field, an empty text "".
void export_sweep(const Sweep&, const std::string& store, const std::string& file);

}  // namespace forerun::sim
