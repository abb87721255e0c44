#include "cli/command.h"

#include <array>
#include <limits>

namespace forerun::cli {
namespace {

constexpr std::size_t kMany = std::numeric_limits<std::size_t>::max();

constexpr std::array kFlags = {
    FlagFacts{Flag::set, "set", "PATH=VALUE",
              "replace a value of the scenario, for example plan.tensor=4"},
    FlagFacts{Flag::seed, "seed", "N", "seed of every random stream, in place of the scenario's"},
    FlagFacts{Flag::json, "json", "FILE",
              "write the answer as JSON; - for standard output, in place of the text"},
    FlagFacts{Flag::output, "output", "FILE",
              "write what is made to this file and not to standard output", "o"},
    FlagFacts{Flag::trace, "trace", "FILE",
              "write the step as Chrome trace events, as Perfetto reads them"},
    FlagFacts{Flag::profile, "profile", "NAME",
              "accelerator that a table of kernel times belongs to"},
    FlagFacts{Flag::notes, "notes", "FILE",
              "why groups miss: sentences by the name of a group or a framework"},
    FlagFacts{Flag::left_out, "left-out", "FILE",
              "errors recorded with each group's model family left out of the fit"},
    FlagFacts{Flag::with, "with", "FILE...",
              "measurements: forerun probe, nccl-tests, nvbandwidth, mamf-finder, "
              "cutlass_profiler, PyTorch "
              "profiler"},
    FlagFacts{Flag::plot, "plot", "FILE.svg", "draw measured against predicted times"},
    FlagFacts{Flag::threads, "threads", "N",
              "threads to use; the answer is the same for any number"},
    FlagFacts{Flag::markdown, "markdown", "", "print the scoreboard as Markdown tables"},
    FlagFacts{Flag::rows, "rows", "", "print every row, however many there are"},
    FlagFacts{Flag::every_kernel, "every-kernel", "",
              "simulate each kernel of each micro-batch as an event"},
    FlagFacts{
        Flag::chakra, "chakra", "PREFIX",
        "write the step as Chakra execution traces: PREFIX.N.et of each rank N, and its groups"},
    FlagFacts{Flag::faster, "faster", "KIND=FACTOR",
              "also replay with operations of that kind so many times as fast"},
    FlagFacts{Flag::schedule, "schedule", "NAME",
              "also replay under another pipeline schedule: all_forward_all_backward, "
              "one_forward_one_backward, interleaved:V, zero_bubble_h1"}};

}  // namespace

std::span<const FlagFacts> flags() { return kFlags; }

const std::vector<Command>& commands() {
  static const std::vector<Command> table = {
      {"run",
       "predict a training run: days, cost, memory, loss",
       "SCENARIO",
       "a scenario\'s file, or the name of one in scenarios/",
       1,
       1,
       {Flag::set, Flag::seed, Flag::json, Flag::trace, Flag::every_kernel},
       {"forerun run scenarios/llama3_405b_16384_h100.json",
        "forerun run llama3_405b_16384_h100 --set plan.micro_batch=2 --json -"},
       run},
      {"step",
       "take one step apart: time by cause, stages, kernels, memory",
       "SCENARIO",
       "a scenario\'s file, or the name of one in scenarios/",
       1,
       1,
       {Flag::set, Flag::seed, Flag::json, Flag::trace, Flag::every_kernel, Flag::chakra},
       {"forerun step gpt3_175b_korthikanti --trace step.json --every-kernel",
        "forerun step gpt3_175b_korthikanti --chakra traces/gpt3"},
       step},
      {"compare",
       "simulate several scenarios and put them side by side",
       "SCENARIO",
       "scenarios\' files, or their names in scenarios/; the first is what the others are held "
       "against",
       2,
       kMany,
       {Flag::set, Flag::seed, Flag::json},
       {"forerun compare mot_7b_dense_256_a100 mot_7b_moe4x_256_a100 mot_7b_256_a100"},
       compare},
      {"network",
       "show a cluster's network and how long collectives take on it, alone and beside others",
       "TOPOLOGY",
       "a topology's file, or the name of one in hw/profiles/topologies/",
       1,
       1,
       {Flag::set, Flag::seed, Flag::json},
       {"forerun network b200-4x8-beside",
        "forerun network llama3-roce-24k --set core_oversubscription.value=1"},
       network},
      {"replay",
       "replay the trace of a real job: what it waited for, who is slow, what if",
       "TRACE",
       "a table of operations (.csv, .csv.gz), or one file a rank, or their folder, of PyTorch's "
       "profiler or of Chakra",
       1,
       kMany,
       {Flag::faster, Flag::schedule, Flag::json, Flag::trace},
       {"forerun replay job.csv --schedule interleaved:2 --faster backward-compute=1.1",
        "forerun replay profiles/ --json -"},
       replay},
      {"import",
       "make a model of the zoo's format of a Hugging Face config.json",
       "CONFIG",
       "config.json of a model whose type is known",
       1,
       1,
       {Flag::output, Flag::json},
       {"forerun import Mixtral-8x7B-v0.1/config.json -o mixtral.json"},
       import},
      {"calibrate",
       "make a profile of an older one and of measurements",
       "PROFILE",
       "an accelerator or network profile's file, or its name in hw/profiles/",
       1,
       1,
       {Flag::with, Flag::output, Flag::json, Flag::plot},
       {"forerun calibrate aws-p5 --with all_reduce_16.log all_gather_16.log -o my-p5.json",
        "forerun calibrate h100-sxm-80gb --with trace.json mamf.log -o my-h100.json --plot "
        "fit.svg"},
       calibrate},
      {"validate",
       "predict published rows or measured kernels and print the scoreboard",
       "FILE",
       "rows (.jsonl) or tables of kernel times (.csv)",
       1,
       kMany,
       {Flag::json, Flag::threads, Flag::markdown, Flag::rows, Flag::notes, Flag::left_out,
        Flag::profile, Flag::seed},
       {"forerun validate tests/published/rows/*.jsonl",
        "forerun validate h100_sxm_gemm.csv --profile h100-sxm-80gb"},
       validate},
      {"check",
       "check scenarios, profiles, presets, models and rows without running anything",
       "FILE",
       "any file that forerun reads",
       1,
       kMany,
       {Flag::json},
       {"forerun check scenarios/*.json"},
       check},
      {"list",
       "list what is known: profiles, networks, clouds, topologies, models, frameworks, scenarios",
       "KIND",
       "profiles, networks, clouds, topologies, models, frameworks or scenarios; without it, all",
       0,
       1,
       {Flag::json},
       {"forerun list", "forerun list clouds"},
       list}};
  return table;
}

}  // namespace forerun::cli
