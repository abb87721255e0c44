#pragma once

/// Whether every path that a sweep sets is one of a scenario, and takes every value that is put
/// there: asked of the scenario's reader itself, before anything runs.
///
/// A path is right if the reader asks for it. A value is wrong if the reader refuses it for itself
/// (type, unit, range, no such name), beside the first or the last values of the design's other
/// axes. Rules across fields are no mistake of the sweep: a point that breaks one is stored with
/// that as its reason. Of numbers the least and the greatest are tried, as fields take ranges.

#include "core/problem.h"
#include "sim/sweep/sweep.h"

namespace forerun::sim {

/// Problems at the sweep's own pointers ("/designs/0/axes/1/path").
void check_paths(const Sweep&, Problems&);

}  // namespace forerun::sim
