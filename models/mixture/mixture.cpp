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

namespace forerun::models {
namespace {

constexpr std::int64_t kMostTokens = 1 << 30;
constexpr std::int64_t kMostRepeats = 1 << 20;
constexpr double kMostSpread = 3;
constexpr double kShareTolerance = 1e-9;

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

/// A range, or with `spread` the mean of a log-normal length.
Length read_length(Reader& r, std::string_view key) {
  Length length;
  std::tie(length.least, length.most) = range(r, key, kMostTokens);
  if (r.has("spread")) {
    length.spread = r.number("spread", 0, kMostSpread);
    if (length.spread > 0) length.log_normal_mean = static_cast<double>(length.least);
    if (r.is_list(key)) {
      r.problem("spread", fmt::format("given, but {} is a range: it goes with a mean", key));
    }
  }
  return length;
}

SpanSpec read_span(Reader& r) {
  SpanSpec span;
  span.modality = r.text("modality");
  const std::vector<std::string> names = modality_names();
  const bool known = std::ranges::binary_search(names, span.modality);
  Modality modality;
  if (known) {
    modality = load_modality(span.modality);
  } else if (!span.modality.empty()) {
    r.problem("modality",
              fmt::format("\"{}\" is no modality: {}", span.modality,
                          did_you_mean(span.modality, names,
                                       fmt::format("there are {}", fmt::join(names, ", ")))));
  }
  span.as = r.has("as") ? r.text("as") : span.modality;
  span.mask = r.has("mask") ? r.choice("mask", kSpanMasks) : modality.mask;
  if (r.has("items") == r.has("tokens")) {
    r.problem("tokens", r.has("items") ? "given, and so is items: a span has one of them"
                                       : "missing, and so is items: how long is the span?");
  } else if (r.has("items")) {
    span.length = read_length(r, "items");
    if (known && modality.item.empty() && !r.has("item_tokens")) {
      r.problem("items", fmt::format("given, but {} has no items, only tokens", span.modality));
    }
    span.item_tokens = modality.tokens_per_item;
    if (r.has("item_tokens")) span.item_tokens = r.number("item_tokens", 1e-3, 1e9);
    const double most = static_cast<double>(span.length.most) * span.item_tokens;
    if (most > static_cast<double>(kMostTokens)) {
      r.problem("items", fmt::format("{:.0f} tokens: a span has at most {}", most, kMostTokens));
    }
  } else {
    span.length = read_length(r, "tokens");
  }
  r.finish();
  return span;
}

/// A document of one modality belongs to it; one of text and another to "OTHER-text".
std::string usual_law_modality(const DocumentKind& kind) {
  std::set<std::string> names;
  for (const SpanSpec& span : kind.spans) names.insert(span.modality);
  const bool text = names.size() > 1 && names.erase("text") > 0;
  return fmt::format("{}{}", fmt::join(names, "-"), text ? "-text" : "");
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
  const double mean = kind.mean_tokens();
  if (mean > 0 && mean < 1) {  // 0 where a length was refused
    r.problem("spans", fmt::format("{} tokens a document on the mean: expected at least 1", mean));
  }
  kind.law_modality = r.has("law_modality") ? r.text("law_modality") : usual_law_modality(kind);
  r.finish();
  return kind;
}

void number_modalities(Mixture& m) {
  std::set<std::string> names;
  for (const DocumentKind& kind : m.kinds) {
    for (const SpanSpec& span : kind.spans) names.insert(span.as);
  }
  m.modalities.assign(names.begin(), names.end());
  for (DocumentKind& kind : m.kinds) {
    for (SpanSpec& span : kind.spans) {
      const auto at = std::ranges::lower_bound(m.modalities, span.as);
      span.index = static_cast<std::size_t>(at - m.modalities.begin());
    }
  }
}

/// The fields of a mixture's own, where it has no base.
void read_own(Reader& r, Mixture& m) {
  for (Reader& kind : r.objects("kinds")) m.kinds.push_back(read_kind(kind));
  double sum = 0;
  for (const DocumentKind& kind : m.kinds) sum += kind.share;
  if (std::abs(sum - 1) > kShareTolerance) {
    r.problem("kinds", fmt::format("shares sum to {}, not to 1", sum));
  }
  number_modalities(m);
}

std::string bounds(std::int64_t least, std::int64_t most) {
  return fmt::format("[{}, {}]", least, most);
}

std::string length_json(const char* key, const Length& l) {
  if (l.spread > 0) {
    return fmt::format("\"{}\": {}, \"spread\": {}", key, l.log_normal_mean, l.spread);
  }
  return fmt::format("\"{}\": {}", key, bounds(l.least, l.most));
}

/// What a modality's file says is written out, so that it reads back whatever becomes of the file.
std::string span_json(const SpanSpec& s) {
  std::string text =
      fmt::format("{{\"modality\": {}, \"as\": {}, \"mask\": \"{}\", {}", json_quoted(s.modality),
                  json_quoted(s.as), name_in(kSpanMasks, s.mask),
                  length_json(s.item_tokens > 0 ? "items" : "tokens", s.length));
  if (s.item_tokens > 0) text += fmt::format(", \"item_tokens\": {}", s.item_tokens);
  return text + "}";
}

}  // namespace

double Length::mean() const {
  return spread > 0 ? log_normal_mean : 0.5 * static_cast<double>(least + most);
}

double SpanSpec::mean_tokens() const { return length.mean() * (item_tokens > 0 ? item_tokens : 1); }

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

Mixture read_recorded_mixture(Reader& r, std::int64_t sequence, std::int64_t sequences,
                              const std::vector<std::string>& modalities) {
  Mixture m;
  m.recording = load_recording(r, "recording", sequence, sequences, modalities);
  if (m.recording) m.modalities = m.recording->modalities;
  for (const char* key : {"base", "kinds", "mask_documents", "pads"}) {
    if (r.has(key)) {
      r.problem(key, "given, and so is recording: what was recorded is taken as it is");
    }
  }
  r.finish();
  return m;
}

std::string mixture_json(const Mixture& m) {
  if (m.recording) return fmt::format("{{\"recording\": {}}}", json_quoted(m.recording->name));
  std::vector<std::string> kinds;
  for (const DocumentKind& kind : m.kinds) {
    std::vector<std::string> spans;
    for (const SpanSpec& s : kind.spans) spans.push_back(span_json(s));
    kinds.push_back(fmt::format(
        "{{\"name\": {}, \"law_modality\": {}, \"share\": {}, \"spans\": [{}], "
        "\"repeat\": {}, \"reversed\": {}}}",
        json_quoted(kind.name), json_quoted(kind.law_modality), kind.share, fmt::join(spans, ", "),
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
  if (top.has("pads")) m.pads = top.boolean("pads");
  read_own(top, m);
  top.finish();
  if (!problems.empty()) throw Error(ExitCode::wrong, problems.text(path));
  return m;
}

std::vector<double> mean_shares(const Mixture& m) {
  std::vector<double> shares(m.modalities.size());
  if (m.recording) {
    double all = 0;
    for (const Composition& c : m.recording->compositions) {
      for (std::size_t i = 0; i < shares.size(); ++i) {
        shares[i] += static_cast<double>(c.tokens[i]);
        all += static_cast<double>(c.tokens[i]);
      }
    }
    for (double& share : shares) share /= std::max(all, 1.0);
    return shares;
  }
  for (const DocumentKind& kind : m.kinds) {
    double all = 0;
    for (const SpanSpec& span : kind.spans) all += span.mean_tokens();
    for (const SpanSpec& span : kind.spans) {
      shares[span.index] += kind.share * span.mean_tokens() / all;
    }
  }
  return shares;
}

std::map<std::string, double> law_shares(const Mixture& m) {
  std::map<std::string, double> shares;
  if (m.recording) {
    const std::vector<double> of = mean_shares(m);
    for (std::size_t i = 0; i < of.size(); ++i) shares[m.modalities[i]] = of[i];
  }
  for (const DocumentKind& kind : m.kinds) shares[kind.law_modality] += kind.share;
  return shares;
}

Mixture image_share(double share) {
  FORERUN_ASSERT(share >= 0 && share <= 1, fmt::format("a share of {}", share));
  Mixture m;
  m.name = fmt::format("images {}", share);
  const SpanSpec text{"text", "text", 0, {64, 4096}};
  const SpanSpec image{"image", "image", 0, {1, 1}, 1024};
  m.kinds = {{"text", "text", 1 - share, {text}}, {"images", "image", share, {image}}};
  number_modalities(m);
  return m;
}

}  // namespace forerun::models
