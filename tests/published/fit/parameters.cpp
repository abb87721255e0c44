#include "parameters.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace forerun::published {
namespace {

constexpr double kShift = 3.0;  // standard deviations

struct Felt {
  std::set<std::string> groups, families;
  Rows rows;
  void add(const Felt& o) {
    groups.insert(o.groups.begin(), o.groups.end());
    families.insert(o.families.begin(), o.families.end());
    rows.insert(rows.end(), o.rows.begin(), o.rows.end());
    std::ranges::sort(rows);
  }
};

using BySubject = std::map<std::string, Felt>;

bool enough(const Felt& f) { return f.groups.size() >= kLeastGroups; }

/// The accelerator of the generation with most groups (of several the first by name).
std::string leader(const Catalogue& catalogue, const std::string& generation,
                   const BySubject& felt) {
  std::string best;
  std::size_t most = 0;
  for (const Subject& s : catalogue.subjects) {
    if (s.of != Of::accelerator || s.generation != generation) continue;
    const std::size_t groups = felt.at(s.name).groups.size();
    if (best.empty() || groups > most) {
      best = s.name;
      most = groups;
    }
  }
  return best;
}

/// The nearest relative with enough groups, or the last of the chain.
std::string relative_owner(const Catalogue& catalogue, const Constant& constant,
                           const std::string& framework, const BySubject& felt) {
  std::set<std::string> seen;
  std::string at = framework;
  while (!enough(felt.at(at)) && seen.insert(at).second) {
    const std::string next = catalogue.relative(at, constant);
    if (next.empty()) break;
    at = next;
  }
  return at;
}

}  // namespace

Feeling feeling(Predictor& predictor, const Rows& rows, const Values& at) {
  const Catalogue& catalogue = predictor.catalogue();
  Feeling felt(catalogue.constants.size(), std::vector<bool>(predictor.rows().size(), false));
  const std::vector<double> before = predictor.log_errors(rows, at);
  for (std::size_t c = 0; c < felt.size(); ++c) {
    const Constant& constant = catalogue.constants[c];
    for (const double shift : {kShift, -kShift}) {
      Values moved = at;
      for (auto& [name, value] : moved[c]) {
        const double start = catalogue.start(constant, catalogue.subject(constant.of, name)).value;
        value = constant.value(start, constant.z(start, value) + shift);
      }
      const std::vector<double> after = predictor.log_errors(rows, moved);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (std::abs(after[i] - before[i]) > kFelt) felt[c][rows[i]] = true;
      }
    }
  }
  return felt;
}

Parameters choose_parameters(const Predictor& predictor, const Rows& fitted_rows,
                             const Feeling& feeling) {
  const Catalogue& catalogue = predictor.catalogue();
  Parameters out;
  out.unfitted.resize(catalogue.constants.size());
  for (std::size_t c = 0; c < catalogue.constants.size(); ++c) {
    const Of of = catalogue.constants[c].of;
    BySubject felt;
    for (const Subject& s : catalogue.subjects) {
      if (s.of == of) felt[s.name];
    }
    for (const std::size_t row : fitted_rows) {
      if (!feeling[c][row]) continue;
      Felt& f = felt[predictor.subject(row, of)];
      f.groups.insert(predictor.rows()[row].group);
      f.families.insert(predictor.rows()[row].family);
      f.rows.push_back(row);
    }
    std::map<std::string, std::vector<std::string>> owned;
    for (const Subject& s : catalogue.subjects) {
      if (s.of != of) continue;
      std::string owner = s.name;
      if (catalogue.constants[c].whole_generation || !enough(felt.at(s.name))) {
        owner = of == Of::accelerator
                    ? leader(catalogue, s.generation, felt)
                    : relative_owner(catalogue, catalogue.constants[c], s.name, felt);
      }
      owned[owner].push_back(s.name);
    }
    for (const auto& [owner, members] : owned) {
      Felt all;
      for (const std::string& m : members) all.add(felt.at(m));
      if (enough(all)) {
        out.fitted.push_back({c, owner, members, all.groups, all.families, all.rows});
      } else {
        out.unfitted[c].insert(members.begin(), members.end());
      }
    }
  }
  return out;
}

void set(Values& values, const Catalogue& catalogue, const Parameter& p, double z) {
  const Constant& constant = catalogue.constants[p.constant];
  for (const std::string& m : p.members) {
    const double start = catalogue.start(constant, catalogue.subject(constant.of, m)).value;
    values[p.constant][m] = constant.value(start, z);
  }
}

double z_of(const Values& values, const Catalogue& catalogue, const Parameter& p) {
  const Constant& constant = catalogue.constants[p.constant];
  const double start = catalogue.start(constant, catalogue.subject(constant.of, p.owner)).value;
  return constant.z(start, values[p.constant].at(p.owner));
}

}  // namespace forerun::published
