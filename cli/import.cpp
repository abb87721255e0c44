// forerun import: a Hugging Face config.json as an architecture of the zoo's format.

#include "models/import/import.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "cli/command.h"
#include "cli/load.h"
#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "core/table.h"
#include "models/parameters.h"

namespace forerun::cli {

int import(const Options& o) {
  const std::string& path = o.arguments.front();
  const std::filesystem::path file(path);
  const std::string stem = file.stem() == "config" && file.has_parent_path()
                               ? file.parent_path().filename().string()
                               : file.stem().string();
  Problems problems;
  const auto model = models::import_config(read_file(path, kMaxJsonBytes), stem,
                                           file.filename().string(), problems);
  if (!model) refuse(path, problems);
  const models::Architecture& a = model->architecture;
  fmt::print(stderr, "{}: {} parameters, of which a token uses {}\n", a.name,
             show_count(static_cast<double>(models::parameters(a).total())),
             show_count(static_cast<double>(models::active_parameters(a).total())));
  for (const std::string& note : model->notes) fmt::print(stderr, "taken: {}\n", note);
  for (const std::string& key : model->ignored) fmt::print(stderr, "ignored: {}\n", key);
  const std::string text = models::zoo_json(a);
  if (o.json.empty() || o.json == "-") {
    fmt::print("{}", text);
  } else {
    write_file(o.json, text);
  }
  return 0;
}

}  // namespace forerun::cli
