// forerun import: a Hugging Face config.json as an architecture of the zoo's format.

#include "models/import/import.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/report.h"
#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "core/table.h"
#include "models/parameters.h"

namespace forerun::cli {

namespace {

/// What config.json describes is the folder's business: every release names its file alike.
std::string entry_name(const std::string& path) {
  const std::filesystem::path file(path);
  return file.stem() == "config" && file.has_parent_path() ? file.parent_path().filename().string()
                                                           : file.stem().string();
}

/// What the file was taken to say, beside the entry and so on standard error.
void tell(const models::ImportedModel& model) {
  const models::Architecture& a = model.architecture;
  fmt::print(stderr, "{}: {} parameters, of which a token uses {}\n", a.name,
             show_count(static_cast<double>(models::parameters(a).total())),
             show_count(static_cast<double>(models::active_parameters(a).total())));
  for (const std::string& note : model.notes) fmt::print(stderr, "assumed: {}\n", note);
  if (model.ignored.empty()) return;
  fmt::print(stderr, "ignored, as nothing of the shape:\n{}",
             wrapped(fmt::format("{}", fmt::join(model.ignored, ", ")), 2));
}

}  // namespace

int import(const Options& o) {
  // The answer is JSON anyway, so --json FILE is another word for -o FILE.
  if (!o.output.empty() && !o.json.empty()) {
    throw Error(ExitCode::usage, "both -o and --json say where the model goes",
                "give one of them, or none for standard output");
  }
  const std::string& path = o.arguments.front();
  Problems problems;
  const auto model =
      models::import_config(read_file(path, kMaxJsonBytes), entry_name(path),
                            std::filesystem::path(path).filename().string(), problems);
  if (!model) refuse(path, problems);
  tell(*model);
  const std::string text = models::zoo_json(model->architecture);
  const std::string& to = o.output.empty() ? o.json : o.output;
  if (to.empty() || to == "-") {
    fmt::print("{}", text);
  } else {
    write_file(to, text);
  }
  return 0;
}

}  // namespace forerun::cli
