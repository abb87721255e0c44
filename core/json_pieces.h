#pragma once

/// Cuts a long JSON text into the objects of interest, which are then read one by one: what is held
/// at a time is the text and one object.

#include <functional>
#include <string>
#include <string_view>

#include "core/problem.h"

namespace forerun {

/// Called with each object's text and its place ("traceEvents/17"); false, after a problem, stops.
using OnObject = std::function<bool(std::string_view object, const std::string& place)>;

/// The elements of the array `list` of the top-level object, and that object's values that are
/// objects themselves, by key. Text that is no such object, is cut off, or holds `list` twice is a
/// problem, at the byte where it shows; so is a missing `list`.
void for_each_element(std::string_view text, std::string_view list, const OnObject&, Problems&);

/// Objects one after another with nothing but space between, as MLCommons Chakra's jsonizer writes
/// messages.
void for_each_object(std::string_view text, const OnObject&, Problems&);

}  // namespace forerun
