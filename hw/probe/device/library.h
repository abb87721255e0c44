#pragma once

/// A shared library opened at run time, so that the program starts where there is none.

#include <string>
#include <string_view>
#include <vector>

namespace forerun::hw::device {

class Library {
 public:
  /// Tries `name` as the loader finds it, then in $CUDA_PATH/lib64, /usr/local/cuda/lib64 and
  /// /usr/local/cuda/lib. Throws Error with the loader's reason if none is there.
  explicit Library(std::string name);
  /// The first of several that is there: newest first.
  explicit Library(const std::vector<std::string>& names);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  /// The function of that name; throws Error if the library has none. F is its type.
  template <class F>
  [[nodiscard]] F* function(const char* symbol) const {
    return reinterpret_cast<F*>(find(symbol));
  }

 private:
  [[nodiscard]] void* find(const char* symbol) const;
  void* handle_ = nullptr;
  std::string name_;
};

}  // namespace forerun::hw::device
