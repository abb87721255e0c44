#include "hw/probe/device/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "core/error.h"

namespace forerun::hw::device {
namespace {

std::vector<std::string> places(const std::string& name) {
  std::vector<std::string> all = {name};
  if (const char* path = std::getenv("CUDA_PATH"))
    all.push_back(fmt::format("{}/lib64/{}", path, name));
  all.push_back("/usr/local/cuda/lib64/" + name);
  all.push_back("/usr/local/cuda/lib/" + name);
  return all;
}

/// Null if it is in no place; `reason` is then the loader's, for the plain name.
void* open(const std::string& name, std::string& reason) {
  for (const std::string& place : places(name)) {
    // Global: cuDNN's and NCCL's parts find each other.
    if (void* handle = dlopen(place.c_str(), RTLD_NOW | RTLD_GLOBAL)) return handle;
    const char* said = dlerror();
    if (reason.empty() && said != nullptr) reason = said;
  }
  return nullptr;
}

}  // namespace

Library::Library(std::string name) : Library(std::vector<std::string>{std::move(name)}) {}

Library::Library(const std::vector<std::string>& names) {
  std::string reason;
  for (const std::string& name : names) {
    handle_ = open(name, reason);
    if (handle_ != nullptr) {
      name_ = name;
      return;
    }
  }
  throw Error(ExitCode::wrong, fmt::format("no {} ({})", names.front(), reason));
}

// Not closed: CUDA libraries register work that runs when the program ends.
Library::~Library() = default;

void* Library::find(const char* symbol) const {
  if (void* at = dlsym(handle_, symbol)) return at;
  throw Error(ExitCode::wrong, fmt::format("{} has no {}", name_, symbol));
}

}  // namespace forerun::hw::device
