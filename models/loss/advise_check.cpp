#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "models/loss/advise.h"
#include "models/loss/critical_batch.h"
#include "models/loss/power_law.h"

namespace forerun::models {

void check_advice(const AdviceRequest& request, const AdviceLaws& laws, Problems& problems) {
  if (!(request.flops > 0)) {
    problems.add("advise", fmt::format("{} FLOPs: must be above zero", request.flops));
  }
  if (request.parameters && !(*request.parameters > 0)) {
    problems.add("advise", fmt::format("{} parameters: must be above zero", *request.parameters));
  }
  if (request.modalities.empty()) problems.add("advise", "no modality: must be at least one");
  const double n = static_cast<double>(request.modalities.size());
  if (request.least_share < 0 || request.least_share * n >= 1) {
    problems.add("advise", fmt::format("least share {} of each of {:g} modalities: must leave room",
                                       request.least_share, n));
  }
  if (request.experts < 1) {
    problems.add("advise", fmt::format("{} experts: must be at least 1", request.experts));
  }
  std::set<std::string> seen;
  double weights = 0;
  for (const AdvisedModality& m : request.modalities) {
    const std::string where = fmt::format("advise/{}", m.name);
    if (!seen.insert(m.name).second) problems.add(where, "named twice");
    if (!(m.weight >= 0)) problems.add(where, fmt::format("weight {}: at least 0", m.weight));
    if (m.unique_tokens && !(*m.unique_tokens > 0)) {
      problems.add(where, fmt::format("{} unique tokens: must be above zero", *m.unique_tokens));
    }
    weights += std::max(m.weight, 0.0);
    const PowerLaw law = power_law(m.law, central_values(m.law), m.of, problems);
    if (problems.empty() && !(law.a > 0 && law.b > 0 && law.alpha > 0 && law.beta > 0)) {
      problems.add(where, fmt::format("law {} falls with parameters or tokens only: it has no "
                                      "compute optimum",
                                      m.law.name));
    }
  }
  if (!request.modalities.empty() && weights <= 0) {
    problems.add("advise", "all weights are 0: at least one must be above");
  }
  (void)required(laws.repetition, central_values(laws.repetition), "R_star_D", problems);
  (void)critical_batch_law(laws.critical_batch, central_values(laws.critical_batch), problems);
}

}  // namespace forerun::models
