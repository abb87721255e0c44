#include "hw/probe/reference.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace forerun::hw {
namespace {

constexpr double kRmsEpsilon = 1e-6, kLayerEpsilon = 1e-5;

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double mean_of(std::span<const double> v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

std::vector<double> product(std::span<const double> a, std::span<const double> b) {
  std::vector<double> result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] * b[i];
  return result;
}

/// z = (x - mean) inverse; a root-mean-square norm has no mean.
struct Normal {
  std::vector<double> z;
  double inverse = 0;
};

Normal normalised(const RowInputs& r) {
  const bool centred = r.shape.family == ProbeFamily::layer_norm;
  const double mean = centred ? mean_of(r.x) : 0.0;
  Normal n{r.x, 0};
  for (double& v : n.z) v -= mean;
  const double size = static_cast<double>(r.x.size());
  n.inverse = 1 / std::sqrt(dot(n.z, n.z) / size + (centred ? kLayerEpsilon : kRmsEpsilon));
  for (double& v : n.z) v *= n.inverse;
  return n;
}

std::vector<double> norm(const RowInputs& r) {
  std::vector<double> result = product(normalised(r).z, r.weight);
  if (r.shape.family == ProbeFamily::layer_norm) {
    for (std::size_t i = 0; i < result.size(); ++i) result[i] += r.bias[i];
  }
  return result;
}

std::vector<double> norm_gradient(const RowInputs& r) {
  const Normal n = normalised(r);
  const std::vector<double> scaled = product(r.weight, r.up);
  const double plain = r.shape.family == ProbeFamily::layer_norm ? mean_of(scaled) : 0.0;
  const double weighted = dot(scaled, n.z) / static_cast<double>(n.z.size());
  std::vector<double> result(scaled.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = n.inverse * (scaled[i] - plain - n.z[i] * weighted);
  }
  return result;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

std::vector<double> swiglu(const RowInputs& r) {
  const std::size_t width = r.x.size() / 2;
  std::vector<double> result;
  for (std::size_t i = 0; i < width; ++i) {
    result.push_back(r.x[i] * sigmoid(r.x[i]) * r.x[width + i]);
  }
  return result;
}

std::vector<double> swiglu_gradient(const RowInputs& r) {
  const std::size_t width = r.x.size() / 2;
  std::vector<double> result(r.x.size());
  for (std::size_t i = 0; i < width; ++i) {
    const double g = r.x[i], s = sigmoid(g);
    result[i] = r.up[i] * r.x[width + i] * s * (1 + g * (1 - s));
    result[width + i] = r.up[i] * g * s;
  }
  return result;
}

/// The tanh form of Hendrycks and Gimpel (2016), with its slope.
struct Gelu {
  double value, slope;
};
Gelu gelu(double x) {
  const double rate = std::sqrt(2 / std::acos(-1.0)), cube = 0.044715;
  const double t = std::tanh(rate * (x + cube * x * x * x));
  return {0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * rate * (1 + 3 * cube * x * x)};
}

std::vector<double> gelu_row(const RowInputs& r) {
  std::vector<double> result;
  for (std::size_t i = 0; i < r.x.size(); ++i) {
    const Gelu g = gelu(r.x[i]);
    result.push_back(r.shape.pass == ProbePass::backward ? r.up[i] * g.slope : g.value);
  }
  return result;
}

std::vector<double> rotated(const RowInputs& r) {
  const auto size = static_cast<std::size_t>(r.shape.argument("head_dim"));
  std::vector<double> result(r.x.size());
  for (std::size_t head = 0; head < r.x.size(); head += size) {
    for (std::size_t i = 0; i < size / 2; ++i) {
      const double angle =
          static_cast<double>(r.row) *
          std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(size));
      const double a = r.x[head + i], b = r.x[head + size / 2 + i];
      result[head + i] = a * std::cos(angle) - b * std::sin(angle);
      result[head + size / 2 + i] = a * std::sin(angle) + b * std::cos(angle);
    }
  }
  return result;
}

double log_sum_exp(std::span<const double> x) {
  const double largest = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (const double v : x) sum += std::exp(v - largest);
  return largest + std::log(sum);
}

std::vector<double> cross_entropy(const RowInputs& r) {
  const double all = log_sum_exp(r.x);
  if (r.shape.pass == ProbePass::forward) return {all - r.x.at(r.target)};
  std::vector<double> result;
  for (const double v : r.x) result.push_back(std::exp(v - all));
  result.at(r.target) -= 1;
  return result;
}

std::span<const double> row_of(std::span<const double> rows, std::size_t i, std::size_t width) {
  return rows.subspan(i * width, width);
}

std::vector<double> scores_of(std::span<const double> q, std::span<const double> keys,
                              double scale) {
  std::vector<double> scores;
  for (std::size_t i = 0; i < keys.size() / q.size(); ++i) {
    scores.push_back(scale * dot(q, row_of(keys, i, q.size())));
  }
  return scores;
}

}  // namespace

std::vector<double> row_reference(const RowInputs& r) {
  const bool back = r.shape.pass == ProbePass::backward;
  switch (r.shape.family) {
    case ProbeFamily::rms_norm:
    case ProbeFamily::layer_norm:
      return back ? norm_gradient(r) : norm(r);
    case ProbeFamily::swiglu:
      return back ? swiglu_gradient(r) : swiglu(r);
    case ProbeFamily::gelu:
      return gelu_row(r);
    case ProbeFamily::rotary:
      return rotated(r);
    case ProbeFamily::cross_entropy:
      return cross_entropy(r);
    default:
      FORERUN_ASSERT(false, text(r.shape));
  }
}

AttentionReference attention_reference(std::span<const double> q, std::span<const double> keys,
                                       std::span<const double> values, double scale) {
  const std::vector<double> scores = scores_of(q, keys, scale);
  AttentionReference result{std::vector<double>(q.size()), log_sum_exp(scores)};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double p = std::exp(scores[i] - result.log_sum);
    for (std::size_t j = 0; j < q.size(); ++j) result.out[j] += p * values[i * q.size() + j];
  }
  return result;
}

std::vector<double> attention_query_gradient(std::span<const double> q,
                                             std::span<const double> keys,
                                             std::span<const double> values,
                                             std::span<const double> up, double scale) {
  const AttentionReference forward = attention_reference(q, keys, values, scale);
  const double shift = dot(up, forward.out);
  const std::vector<double> scores = scores_of(q, keys, scale);
  std::vector<double> result(q.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double p = std::exp(scores[i] - forward.log_sum);
    const double ds = p * (dot(up, row_of(values, i, q.size())) - shift) * scale;
    for (std::size_t j = 0; j < q.size(); ++j) result[j] += ds * keys[i * q.size() + j];
  }
  return result;
}

void add_key_gradient(KeyGradient& sum, std::span<const double> q, std::span<const double> key,
                      std::span<const double> value, std::span<const double> out,
                      std::span<const double> up, double log_sum, double scale) {
  const double p = std::exp(scale * dot(q, key) - log_sum);
  const double ds = p * (dot(up, value) - dot(up, out)) * scale;
  for (std::size_t j = 0; j < q.size(); ++j) {
    sum.key[j] += ds * q[j];
    sum.value[j] += p * up[j];
  }
}

AdamState adam_reference(AdamState s, double gradient, const AdamRates& r) {
  s.moment1 = r.beta1 * s.moment1 + (1 - r.beta1) * gradient;
  s.moment2 = r.beta2 * s.moment2 + (1 - r.beta2) * gradient * gradient;
  const double step =
      s.moment1 / r.correction1 / (std::sqrt(s.moment2 / r.correction2) + r.epsilon);
  s.master -= r.learning_rate * (r.decay * s.master + step);
  return s;
}

}  // namespace forerun::hw
