#include "search.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace forerun::published {
namespace {

constexpr double kFirstStep = 1.0, kLastStep = 1.0 / 16;  // standard deviations
constexpr std::array kScan = {-4.0, -2.5, -1.5, -0.75, 0.75, 1.5, 2.5, 4.0, 5.5, 7.0};

double rho(double e) { return std::sqrt(e * e + kSoft * kSoft) - kSoft; }

/// The constants of one owner.
struct Block {
  std::vector<const Parameter*> parameters;
  Rows rows;  ///< that feel any of them
};

class Search {
 public:
  Search(Predictor& predictor, const Rows& rows, Values values)
      : predictor_(predictor), values_(std::move(values)) {
    for (const std::size_t row : rows) ++rows_of_[predictor.rows()[row].group];
  }

  /// Returns by how much the whole improved.
  double improve(const Block& block, bool scan) {
    z_.clear();
    for (const Parameter* p : block.parameters) {
      z_.push_back(z_of(values_, predictor_.catalogue(), *p));
    }
    block_ = &block;
    const double before = best_ = cost(z_);
    if (scan) this->scan();
    compass();
    for (std::size_t i = 0; i < z_.size(); ++i) {
      set(values_, predictor_.catalogue(), *block.parameters[i], z_[i]);
    }
    return before - best_;
  }
  [[nodiscard]] const Values& values() const { return values_; }

 private:
  /// The part of the objective that the block changes.
  double cost(const std::vector<double>& z) {
    double prior = 0;
    Values tried = values_;
    for (std::size_t i = 0; i < z.size(); ++i) {
      set(tried, predictor_.catalogue(), *block_->parameters[i], z[i]);
      // As the value is cut and rounded.
      const double reached = z_of(tried, predictor_.catalogue(), *block_->parameters[i]);
      prior += reached * reached;
    }
    const std::vector<double> errors = predictor_.log_errors(block_->rows, tried);
    double sum = 0;
    for (std::size_t i = 0; i < errors.size(); ++i) {
      sum += rho(errors[i]) / rows_of_.at(predictor_.rows()[block_->rows[i]].group);
    }
    return (sum + kPriorWeight * prior) / static_cast<double>(rows_of_.size());
  }

  bool take_if_better(const std::vector<double>& z) {
    const double c = cost(z);
    if (!(c < best_ - 1e-12)) return false;
    best_ = c;
    z_ = z;
    return true;
  }

  void scan() {
    for (std::size_t i = 0; i < z_.size(); ++i) {
      std::vector<double> z = z_;
      for (const double at : kScan) {
        z[i] = at;
        take_if_better(z);
      }
    }
  }

  void compass() {
    for (double step = kFirstStep; step >= kLastStep;) {
      bool better = false;
      for (const std::vector<double>& d : directions()) {
        while (take_if_better(moved(d, step)) || take_if_better(moved(d, -step))) better = true;
      }
      if (!better) step /= 2;
    }
  }

  [[nodiscard]] std::vector<double> moved(const std::vector<double>& direction, double by) const {
    std::vector<double> z = z_;
    for (std::size_t i = 0; i < z.size(); ++i) z[i] += by * direction[i];
    return z;
  }

  /// Each axis, and the two diagonals of each pair of axes.
  [[nodiscard]] std::vector<std::vector<double>> directions() const {
    const std::size_t n = z_.size();
    std::vector<std::vector<double>> list;
    for (std::size_t i = 0; i < n; ++i) {
      list.emplace_back(n, 0.0)[i] = 1;
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = i + 1; j < n; ++j) {
        for (const double sign : {1.0, -1.0}) {
          std::vector<double>& d = list.emplace_back(n, 0.0);
          d[i] = 1;
          d[j] = sign;
        }
      }
    }
    return list;
  }

  Predictor& predictor_;
  Values values_;
  std::map<std::string, double> rows_of_;  ///< by group, of the fitted rows
  const Block* block_ = nullptr;
  std::vector<double> z_;
  double best_ = 0;
};

std::vector<Block> blocks_of(const Parameters& parameters, const std::set<std::string>* only) {
  std::map<std::string, Block> by_owner;
  for (const Parameter& p : parameters.fitted) {
    if (only != nullptr && !only->contains(p.owner)) continue;
    Block& b = by_owner[p.owner];
    b.parameters.push_back(&p);
    b.rows.insert(b.rows.end(), p.rows.begin(), p.rows.end());
  }
  std::vector<Block> blocks;
  for (auto& [owner, b] : by_owner) {
    std::ranges::sort(b.rows);
    b.rows.erase(std::unique(b.rows.begin(), b.rows.end()), b.rows.end());
    blocks.push_back(std::move(b));
  }
  return blocks;
}

}  // namespace

Values search(Predictor& predictor, const Rows& rows, const Parameters& parameters, Values values,
              const SearchOptions& options, const std::set<std::string>* only) {
  Search search(predictor, rows, std::move(values));
  const std::vector<Block> blocks = blocks_of(parameters, only);
  for (int round = 0; round < options.rounds; ++round) {
    double gained = 0;
    for (const Block& b : blocks) gained += search.improve(b, options.scan && round == 0);
    if (gained < kEnough) break;
  }
  return search.values();
}

double mean_error(Predictor& predictor, const Rows& rows, const Values& values) {
  const std::vector<double> errors = predictor.log_errors(rows, values);
  std::map<std::string, std::pair<double, double>> groups;  // sum, rows
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& [sum, n] = groups[predictor.rows()[rows[i]].group];
    sum += std::abs(std::expm1(errors[i]));
    n += 1;
  }
  double total = 0;
  for (const auto& [name, g] : groups) total += g.first / g.second;
  return groups.empty() ? 0 : total / static_cast<double>(groups.size());
}

}  // namespace forerun::published
