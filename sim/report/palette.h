#pragma once

/// A page's colours, by day and by night: those of its pictures (core/svg.h), and those of its
/// text. Contrast is tested: text at least 4.5 to 1 on the paper, what is drawn at least 3 to 1
/// (WCAG 2.2, 1.4.3 and 1.4.11), but for the idle, which is to recede.

#include <array>
#include <cstddef>

#include "core/svg.h"

namespace forerun::sim::report {

struct PageColour {
  const char *name, *light, *dark;
};

/// --c0 ... : the hues of Okabe and Ito, darker where white paper asks for it and lighter at night,
/// and a few between them.
inline constexpr std::array<PageColour, kPageColours> kPictureColours = {{
    {"blue", "#0072B2", "#4AA3E0"},
    {"vermillion", "#D55E00", "#F28C4B"},
    {"green", "#008F68", "#35C29A"},
    {"purple", "#B0558A", "#E093BF"},
    {"amber", "#A97700", "#E8B84A"},
    {"sky", "#3A94CC", "#9AD4F5"},
    {"ink", "#444A52", "#D5D8DC"},
    {"idle", "#D3D8DE", "#3A424C"},
    {"teal", "#00606B", "#4FB7C2"},
    {"brown", "#8C5A2B", "#C69C6D"},
    {"violet", "#6A51A3", "#A995E0"},
    {"grey", "#7D8590", "#8A8F98"},
}};
inline constexpr std::size_t kIdleColour = 7;

inline constexpr std::array<PageColour, 7> kPageTones = {{
    {"page", "#F3F5F7", "#0F1216"},
    {"paper", "#FFFFFF", "#171B21"},
    {"ink", "#1B1F24", "#E6E9ED"},
    {"muted", "#57606A", "#A2ABB5"},
    {"axis", "#7D8590", "#8A939D"},
    {"grid", "#E3E7EB", "#2A3038"},
    {"accent", "#0B5CAD", "#6CB6F5"},
}};

}  // namespace forerun::sim::report
