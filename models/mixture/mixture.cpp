#include "models/mixture/mixture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/json_writer.h"
#include "models/mixture/modality.h"

namespace forerun::models {
namespace {

constexpr std::int64_t kMostTokens = 1ll << 32;
constexpr std::int64_t kMostRepeats = 1 << 20;

/// A number, or [least, most].
std::pair<std::int64_t, std::int64_t> range(Reader& r, std::string_view key, std::int64_t most) {
  if (!r.is_list(key)) {
    const std::int64_t n = r.integer(key, 1, most);
    return {n, n};
  }
  const std::vector<std::int64_t> ends = r.integers(key, 1, most);
  if (ends.size() != 2 || ends[0] > ends[1]) {
    r.problem(key, "expected [least, most] with least <= most");
    return {1, 1};
  }
  return {ends[0], ends[1]};
}

SpanSpec read_span(Reader& r) {
  SpanSpec span;
  const std::string of = r.text("modality");
  span.modality = of;
  const std::vector<std::string> names = modality_names();
  const bool known = std::find(names.begin(), names.end(), of) != names.end();
  Modality modality;
  if (known) {
    modality = load_modality(of);
    span.bidirectional = modality.mask == SpanMask::bidirectional;
  } else if (!of.empty()) {
    r.problem(
        "modality",
        fmt::format("\"{}\" is no modality: {}", of,
                    did_you_mean(of, names, fmt::format("there are {}", fmt::join(names, ", ")))));
  }
  if (r.has("as")) span.modality = r.text("as");
  if (r.has("items") == r.has("tokens")) {
    r.problem("tokens", r.has("items") ? "given, and so is items: a span has one of them"
                                       : "missing, and so is items: how long is the span?");
  } else if (r.has("items")) {
    std::tie(span.least, span.most) = range(r, "items", kMostTokens);
    span.item_tokens = modality.tokens_per_item;
    if (r.has("item_tokens")) span.item_tokens = r.number("item_tokens", 1e-3, 1e9);
  } else {
    std::tie(span.least, span.most) = range(r, "tokens", kMostTokens);
  }
  r.finish();
  return span;
}

DocumentKind read_kind(Reader& r) {
  DocumentKind kind;
  kind.name = r.text("name");
  kind.share = r.number("share", 0, 1);
  for (Reader& span : r.objects("spans")) kind.spans.push_back(read_span(span));
  if (kind.spans.empty()) r.problem("spans", "empty: a document has at least one");
  if (r.has("repeat")) {
    std::tie(kind.least_repeats, kind.most_repeats) = range(r, "repeat", kMostRepeats);
  }
  if (r.has("reversed")) kind.reversed = r.number("reversed", 0, 1);
  r.finish();
  return kind;
}

void number_modalities(Mixture& m) {
  std::set<std::string> names;
  for (const DocumentKind& kind : m.kinds) {
    for (const SpanSpec& span : kind.spans) names.insert(span.modality);
  }
  m.modalities.assign(names.begin(), names.end());
  for (DocumentKind& kind : m.kinds) {
    for (SpanSpec& span : kind.spans) {
      const auto at = std::ranges::lower_bound(m.modalities, span.modality);
      span.index = static_cast<std::size_t>(at - m.modalities.begin());
    }
  }
}

/// The fields of a mixture's own, where it has no base.
void read_own(Reader& r, Mixture& m) {
  for (Reader& kind : r.objects("kinds")) m.kinds.push_back(read_kind(kind));
  double sum = 0;
  for (const DocumentKind& kind : m.kinds) sum += kind.share;
  if (std::abs(sum - 1) > 1e-6) {
    r.problem("kinds", fmt::format("shares sum to {}, not to 1", sum));
  }
  number_modalities(m);
}

std::string bounds(std::int64_t least, std::int64_t most) {
  return fmt::format("[{}, {}]", least, most);
}

}  // namespace

double SpanSpec::mean_tokens() const {
  return 0.5 * static_cast<double>(least + most) * (item_tokens > 0 ? item_tokens : 1.0);
}

double DocumentKind::mean_tokens() const {
  double sum = 0;
  for (const SpanSpec& span : spans) sum += span.mean_tokens();
  return sum * 0.5 * static_cast<double>(least_repeats + most_repeats);
}

Mixture read_mixture(Reader& r) {
  Mixture m;
  if (r.has("base")) {
    const std::string base = r.text("base");
    const std::vector<std::string> names = mixture_names();
    if (std::find(names.begin(), names.end(), base) != names.end()) {
      m = load_mixture(base);
    } else {
      r.problem("base",
                fmt::format("\"{}\" is no mixture: {}", base,
                            did_you_mean(base, names,
                                         fmt::format("there are {}", fmt::join(names, ", ")))));
    }
    if (r.has("kinds")) r.problem("kinds", "given, and so is base: a mixture has one of them");
  } else {
    if (r.has("name")) m.name = r.text("name");
    read_own(r, m);
  }
  if (r.has("mask_documents")) m.mask_documents = r.boolean("mask_documents");
  if (r.has("pads")) m.pads = r.boolean("pads");
  r.finish();
  return m;
}

std::string mixture_json(const Mixture& m) {
  std::vector<std::string> kinds;
  for (const DocumentKind& kind : m.kinds) {
    std::vector<std::string> spans;
    for (const SpanSpec& s : kind.spans) {
      // What a modality says is written out, so that it reads back whatever its file becomes.
      const char* const mask = s.bidirectional ? "image-patches" : "text";
      spans.push_back(
          s.item_tokens > 0
              ? fmt::format(
                    "{{\"modality\": \"{}\", \"as\": {}, \"items\": {}, \"item_tokens\": {}}}",
                    mask, json_quoted(s.modality), bounds(s.least, s.most), s.item_tokens)
              : fmt::format("{{\"modality\": \"{}\", \"as\": {}, \"tokens\": {}}}", mask,
                            json_quoted(s.modality), bounds(s.least, s.most)));
    }
    kinds.push_back(fmt::format(
        "{{\"name\": {}, \"share\": {}, \"spans\": [{}], \"repeat\": {}, \"reversed\": {}}}",
        json_quoted(kind.name), kind.share, fmt::join(spans, ", "),
        bounds(kind.least_repeats, kind.most_repeats), kind.reversed));
  }
  return fmt::format("{{\"name\": {}, \"mask_documents\": {}, \"pads\": {}, \"kinds\": [{}]}}",
                     json_quoted(m.name), m.mask_documents, m.pads, fmt::join(kinds, ", "));
}

std::vector<std::string> mixture_names() { return data_names("models/mixtures"); }

Mixture load_mixture(const std::string& name) {
  const std::string path = data_path("models/mixtures/" + name + ".json");
  Problems problems;
  const JsonDocument document = JsonDocument::load(path, problems);
  Reader top = document.root(problems);
  top.integer("schema", 1, 1);
  Mixture m;
  m.name = top.text("name");
  top.text("what");
  top.text("source");
  m.mask_documents = top.boolean("mask_documents");
  read_own(top, m);
  top.finish();
  if (!problems.empty()) throw Error(ExitCode::wrong, problems.text(path));
  return m;
}

std::vector<double> mean_shares(const Mixture& m) {
  std::vector<double> shares(m.modalities.size());
  for (const DocumentKind& kind : m.kinds) {
    double all = 0;
    for (const SpanSpec& span : kind.spans) all += span.mean_tokens();
    for (const SpanSpec& span : kind.spans) {
      shares[span.index] += kind.share * span.mean_tokens() / all;
    }
  }
  return shares;
}

Mixture image_share(double share) {
  Mixture m;
  m.name = fmt::format("images {}", share);
  const SpanSpec text{"text", 0, 64, 4096, 0, false};
  const SpanSpec image{"image", 0, 1, 1, 1024, false};
  m.kinds = {{"text", 1 - share, {text}, 1, 1, 0}, {"images", share, {image}, 1, 1, 0}};
  number_modalities(m);
  return m;
}

}  // namespace forerun::models
