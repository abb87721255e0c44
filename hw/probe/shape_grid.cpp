#include "hw/probe/shape_grid.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

namespace forerun::hw {
namespace {

using Implementation = ProbeImplementation;

/// Widths of one layer as one rank of a tensor-parallel group holds them.
struct Layer {
  std::int64_t hidden, query_key_value, attention, ffn, tensor;
  int round;
};

/// Published sizes: Llama 3 8B, 70B and 405B; Chameleon 7B (as Llama 2 7B), with MoT's towers; 34B.
constexpr std::array kLayers = {
    Layer{4096, 6144, 4096, 14336, 1, 0},    Layer{8192, 10240, 8192, 28672, 8, 0},
    Layer{4096, 12288, 4096, 11008, 1, 1},   Layer{8192, 10240, 8192, 28672, 4, 1},
    Layer{16384, 18432, 16384, 53248, 8, 1}, Layer{8192, 10240, 8192, 28672, 1, 2},
    Layer{4096, 6144, 4096, 14336, 4, 2},    Layer{8192, 10240, 8192, 22016, 4, 3}};

class Grid {
 public:
  void add(int round, ProbeShape shape, ProbeMode mode = ProbeMode::burst) {
    all_.push_back({std::move(shape), mode, round});
  }

  /// The three products of a layer's product y[m,n] = x[m,k] w[n,k]^T in training.
  void training(int round, std::int64_t m, std::int64_t n, std::int64_t k, Precision p) {
    gemm(round, m, n, k, p, ProbePass::forward);
    gemm(round, m, k, n, p, ProbePass::input_gradient);
    gemm(round, n, k, m, p, ProbePass::weight_gradient);
  }

  void gemm(int round, std::int64_t m, std::int64_t n, std::int64_t k, Precision p, ProbePass pass,
            bool accumulates = false, ProbeMode mode = ProbeMode::burst) {
    add(round,
        {ProbeFamily::gemm, {m, n, k, accumulates ? 1 : 0}, p, pass, Implementation::cublas_lt},
        mode);
  }

  void own(int round, ProbeFamily family, std::vector<std::int64_t> arguments, ProbePass pass,
           Precision p = Precision::bf16) {
    add(round, {family, std::move(arguments), p, pass, Implementation::own});
  }

  void runtime(int round, ProbeFamily family, std::int64_t argument,
               ProbeMode mode = ProbeMode::burst) {
    add(round, {family, {argument}, {}, ProbePass::forward, Implementation::runtime}, mode);
  }

  std::vector<ProbeCandidate> sorted() && {
    std::stable_sort(all_.begin(), all_.end(), [](const auto& a, const auto& b) {
      return std::pair(a.round, a.shape.family) < std::pair(b.round, b.shape.family);
    });
    std::set<std::pair<ProbeShape, ProbeMode>> seen;
    std::vector<ProbeCandidate> result;
    for (ProbeCandidate& c : all_) {
      if (seen.emplace(c.shape, c.mode).second) result.push_back(std::move(c));
    }
    return result;
  }

 private:
  std::vector<ProbeCandidate> all_;
};

void layer_products(Grid& g, const Layer& l, std::int64_t tokens, int round, Precision p) {
  const std::int64_t t = l.tensor;
  g.training(round, tokens, l.query_key_value / t, l.hidden, p);
  g.training(round, tokens, l.hidden, l.attention / t, p);
  g.training(round, tokens, 2 * l.ffn / t, l.hidden, p);
  g.training(round, tokens, l.hidden, l.ffn / t, p);
}

void products(Grid& g) {
  for (const Layer& l : kLayers) {
    layer_products(g, l, 8192, l.round, Precision::bf16);
    layer_products(g, l, 4096, l.round + 1, Precision::bf16);
    layer_products(g, l, 2048, l.round + 2, Precision::bf16);
    layer_products(g, l, 16384, l.round + 3, Precision::bf16);
    layer_products(g, l, 8192, l.round + 1, Precision::fp8);
    layer_products(g, l, 4096, l.round + 3, Precision::fp8);
    layer_products(g, l, 8192, l.round + 3, Precision::fp16);
    layer_products(g, l, 4096, l.round + 3, Precision::tf32);
  }
  // Squares, for the ceiling; then steps of m, n and k apart, for waves and ramps.
  for (const std::int64_t size : {1024, 2048, 4096, 8192, 16384, 512, 256}) {
    const int round = size >= 2048 && size <= 8192 ? 0 : 1;
    g.gemm(round, size, size, size, Precision::bf16, ProbePass::forward);
    g.gemm(round, size, size, size, Precision::fp8, ProbePass::forward);
    g.gemm(round + 1, size, size, size, Precision::fp16, ProbePass::forward);
    g.gemm(round + 1, size, size, size, Precision::tf32, ProbePass::forward);
  }
  for (const std::int64_t m : {64, 128, 256, 512, 1024, 1536, 2560, 3072, 5120, 6144, 12288}) {
    g.gemm(2, m, 4096, 4096, Precision::bf16, ProbePass::forward);
    g.gemm(2, 4096, m, 4096, Precision::bf16, ProbePass::forward);
    g.gemm(2, 4096, 4096, m, Precision::bf16, ProbePass::forward);
    g.gemm(3, m, 8192, 1024, Precision::bf16, ProbePass::forward);
    g.gemm(3, m, 1024, 8192, Precision::bf16, ProbePass::forward);
  }
  // What the surfaces between those shapes are fitted to.
  for (const std::int64_t m : {256, 1024, 2048, 4096, 8192, 16384}) {
    for (const std::int64_t n : {1024, 2048, 3072, 6144, 8192, 16384}) {
      for (const std::int64_t k : {1024, 2048, 3072, 6144, 8192, 16384}) {
        g.gemm(4, m, n, k, Precision::bf16, ProbePass::forward);
        g.gemm(5, m, n, k, Precision::fp8, ProbePass::forward);
      }
    }
  }
  for (const std::int64_t vocabulary : {16032, 65536, 128256}) {
    g.training(vocabulary == 16032 ? 0 : 2, 4096, vocabulary, 4096, Precision::bf16);
  }
  for (const std::int64_t width : {4096, 8192}) {
    g.gemm(1, width, width, 8192, Precision::bf16, ProbePass::weight_gradient, true);
  }
  g.gemm(1, 8192, 8192, 8192, Precision::bf16, ProbePass::forward, false, ProbeMode::sustained);
  g.gemm(1, 8192, 8192, 8192, Precision::fp8, ProbePass::forward, false, ProbeMode::sustained);
  g.gemm(2, 8192, 4096, 1024, Precision::bf16, ProbePass::forward, false, ProbeMode::sustained);
}

/// Experts: Mixtral 8x7B on 8 ranks, fine-grained ones of DeepSeek-V3 and Qwen3-30B-A3B; towers of
/// MoT and Chameleon 7B.
void split_products(Grid& g) {
  struct Experts {
    std::int64_t groups, n, k;
    int round;
  };
  constexpr std::array kExperts = {Experts{8, 14336, 4096, 0}, Experts{32, 4096, 7168, 1},
                                   Experts{64, 1536, 2048, 1}, Experts{16, 2048, 4096, 2}};
  for (const Experts& e : kExperts) {
    for (const ProbePass pass :
         {ProbePass::forward, ProbePass::input_gradient, ProbePass::weight_gradient}) {
      for (const Implementation i :
           {Implementation::cublas_grouped, Implementation::cublas_lt_streams}) {
        for (const std::int64_t skew : {0, 80}) {
          const int round = e.round + (skew > 0 ? 1 : 0) + (pass == ProbePass::forward ? 0 : 1);
          g.add(round, {ProbeFamily::grouped_gemm,
                        {e.groups, 16384, e.n, e.k, skew},
                        Precision::bf16,
                        pass,
                        i});
        }
      }
    }
  }
  for (const std::int64_t modalities : {1, 2, 3, 4}) {
    for (const std::int64_t skew : {0, 60}) {
      if (modalities == 1 && skew > 0) continue;
      for (const ProbePass pass : {ProbePass::forward, ProbePass::weight_gradient}) {
        const int round = skew == 0 && pass == ProbePass::forward ? 0 : 2;
        g.add(round, {ProbeFamily::modality_gemm,
                      {modalities, 8192, 11008, 4096, skew},
                      Precision::bf16,
                      pass,
                      Implementation::cublas_lt});
      }
    }
  }
}

void attentions(Grid& g) {
  struct Heads {
    std::int64_t heads, kv_heads, size;
    int round;
  };
  constexpr std::array kHeads = {Heads{32, 8, 128, 0}, Heads{8, 1, 128, 1}, Heads{32, 32, 128, 1},
                                 Heads{32, 32, 64, 2}, Heads{16, 16, 96, 3}};
  for (const Heads& h : kHeads) {
    for (const std::int64_t length : {4096, 8192, 2048, 1024, 16384, 32768, 512}) {
      for (const std::int64_t causal : {1, 0}) {
        const std::int64_t batch = std::max<std::int64_t>(1, 8192 / length);
        const int later = (length == 4096 || length == 8192 ? 0 : 1) + (causal == 1 ? 0 : 1) +
                          (length > 16384 || length < 1024 ? 1 : 0);
        for (const ProbePass pass : {ProbePass::forward, ProbePass::backward}) {
          g.add(h.round + later, {ProbeFamily::attention,
                                  {batch, length, length, h.heads, h.kv_heads, h.size, causal},
                                  Precision::bf16,
                                  pass,
                                  Implementation::cudnn});
        }
      }
    }
  }
  // One rank's queries against all keys: context parallelism, and generation's growing cache.
  for (const std::int64_t keys : {8192, 32768}) {
    g.add(2, {ProbeFamily::attention,
              {1, 2048, keys, 32, 8, 128, 0},
              Precision::bf16,
              ProbePass::forward,
              Implementation::cudnn});
  }
  g.add(2,
        {ProbeFamily::attention,
         {1, 8192, 8192, 32, 8, 128, 1},
         Precision::bf16,
         ProbePass::forward,
         Implementation::cudnn},
        ProbeMode::sustained);
}

void streamed(Grid& g) {
  using enum ProbeFamily;
  for (const std::int64_t rows : {8192, 2048, 32768, 512}) {
    const int later = rows == 8192 ? 0 : 2;
    for (const std::int64_t width : {4096, 8192, 14336}) {
      const int round = later + (width == 4096 ? 0 : 1);
      for (const ProbePass pass : {ProbePass::forward, ProbePass::backward}) {
        if (width < 14336) {
          g.own(round, rms_norm, {rows, width}, pass);
          g.own(round + 1, layer_norm, {rows, width}, pass);
        }
        g.own(round, swiglu, {rows, width}, pass);
        g.own(round + 1, gelu, {rows, width}, pass);
      }
    }
    g.own(later, rotary, {rows, 32, 128}, ProbePass::forward);
    g.own(later + 1, rotary, {rows, 8, 128}, ProbePass::forward);
    for (const ProbePass pass : {ProbePass::forward, ProbePass::backward}) {
      if (rows <= 8192) g.own(later, cross_entropy, {rows, 65536}, pass);
      if (rows <= 8192) g.own(later + 1, cross_entropy, {rows, 128256}, pass);
      g.own(later, embedding, {rows, 4096, 65536}, pass);
    }
    for (const std::int64_t modalities : {2, 4}) {
      const int round = later + (modalities == 2 ? 0 : 1);
      g.own(round, modality_gather, {rows, 4096, modalities}, ProbePass::forward);
      g.own(round, modality_scatter, {rows, 4096, modalities}, ProbePass::forward);
    }
  }
  for (const int log_elements : {26, 28, 24, 22, 20}) {
    g.own(log_elements == 26 ? 0 : 1, adam, {std::int64_t{1} << log_elements}, ProbePass::forward,
          Precision::fp32);
  }
}

void copies_and_launches(Grid& g) {
  for (const ProbeFamily f :
       {ProbeFamily::copy_device, ProbeFamily::copy_to_device, ProbeFamily::copy_from_device}) {
    for (const int log_bytes : {28, 30, 20, 24, 26, 16, 12}) {
      g.runtime(log_bytes == 28 ? 0 : 1, f, std::int64_t{1} << log_bytes);
    }
  }
  g.runtime(2, ProbeFamily::copy_device, std::int64_t{1} << 30, ProbeMode::sustained);
  for (const ProbeFamily f : {ProbeFamily::launch_stream, ProbeFamily::launch_graph}) {
    for (const std::int64_t kernels : {1000, 100}) g.runtime(kernels == 1000 ? 0 : 1, f, kernels);
  }
}

void exchanges(Grid& g, int accelerators) {
  for (const ProbeFamily f : {ProbeFamily::all_reduce, ProbeFamily::all_gather,
                              ProbeFamily::reduce_scatter, ProbeFamily::all_to_all}) {
    for (std::int64_t ranks = 2; ranks <= accelerators; ranks *= 2) {
      for (const int log_bytes : {28, 30, 26, 24, 22, 20, 18, 16, 14, 12, 10}) {
        const bool whole = 2 * ranks > accelerators;
        const int round = (log_bytes == 28 || log_bytes == 24 ? 0 : 1) + (whole ? 0 : 1);
        g.add(round, {f,
                      {ranks, std::int64_t{1} << log_bytes},
                      Precision::bf16,
                      ProbePass::forward,
                      Implementation::nccl});
      }
    }
  }
}

void taxes(Grid& g, int accelerators) {
  for (const std::int64_t n : {4096, 1024}) {
    const std::vector<std::int64_t> product = {8192, n, 4096};
    const int round = n == 4096 ? 0 : 2;
    const auto beside = [&](ProbeFamily f, std::initializer_list<std::int64_t> more) {
      std::vector<std::int64_t> arguments = product;
      arguments.insert(arguments.end(), more);
      g.add(round, {f, arguments, Precision::bf16, ProbePass::forward, Implementation::cublas_lt});
    };
    constexpr std::int64_t kBytes = std::int64_t{1} << 28;
    beside(ProbeFamily::beside_copy, {kBytes});
    beside(ProbeFamily::beside_host_copy, {kBytes});
    if (accelerators >= 2) beside(ProbeFamily::beside_all_reduce, {accelerators, kBytes});
  }
}

}  // namespace

std::vector<ProbeCandidate> probe_grid(int accelerators) {
  Grid g;
  products(g);
  split_products(g);
  attentions(g);
  streamed(g);
  copies_and_launches(g);
  exchanges(g, accelerators);
  taxes(g, accelerators);
  return std::move(g).sorted();
}

}  // namespace forerun::hw
