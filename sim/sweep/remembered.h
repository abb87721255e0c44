#pragma once

/// What many points share is worked out once: values by key, made by whoever asks first, while
/// others who ask for the same wait. The oldest are forgotten beyond a number. As what is made
/// depends on the key alone, the answer is the same for any number of threads.

#include <cstddef>
#include <deque>
#include <exception>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace forerun::sim {

template <class Value>
class Remembered {
 public:
  explicit Remembered(std::size_t most) : most_(most) {}

  /// An exception of `make` goes to everybody who waits for that key, now and later.
  template <class Make>
  std::shared_ptr<const Value> get(const std::string& key, Make make) {
    std::promise<std::shared_ptr<const Value>> promise;
    std::shared_future<std::shared_ptr<const Value>> value;
    {
      const std::lock_guard lock(mutex_);
      const auto found = values_.find(key);
      if (found != values_.end()) {
        value = found->second;
      } else {
        values_.emplace(key, promise.get_future().share());
        order_.push_back(key);
        if (order_.size() > most_) {
          values_.erase(order_.front());  // who waits for it holds it
          order_.pop_front();
        }
      }
    }
    if (value.valid()) return value.get();
    try {
      auto made = std::make_shared<const Value>(make());
      promise.set_value(made);
      return made;
    } catch (...) {
      promise.set_exception(std::current_exception());
      throw;
    }
  }

 private:
  std::size_t most_;
  std::mutex mutex_;
  std::map<std::string, std::shared_future<std::shared_ptr<const Value>>> values_;
  std::deque<std::string> order_;
};

}  // namespace forerun::sim
