#include "sim/replay/kineto_events.h"

#include <charconv>

#include "core/json_pieces.h"
#include "core/reader.h"

namespace forerun::replay {
namespace {

constexpr std::size_t kMostProblems = 20;
constexpr double kMostMicroseconds = 1e16;  // since 1970: the year 2286
constexpr double kLongest = 1e12;
constexpr std::string_view kStepName = "ProfilerStep#";

class EventReader {
 public:
  explicit EventReader(Problems& problems) : problems_(problems) {}
  KinetoEvents read(std::string_view text);

 private:
  bool read_piece(std::string_view piece, const std::string& place);
  void read_event(Reader& event);
  void read_device(Reader& event);
  void read_step(Reader& event, const std::string& name);
  void read_wait(Reader& event);
  static double begin_of(Reader& event) {
    return event.number("ts", -kMostMicroseconds, kMostMicroseconds);
  }
  static std::int64_t optional_integer(Reader& r, std::string_view key) {
    return r.has(key) ? r.integer(key, INT64_MIN, INT64_MAX) : -1;
  }

  Problems& problems_;
  KinetoEvents events_;
};

void EventReader::read_device(Reader& event) {
  DeviceEvent e;
  e.name = event.text("name");
  e.begin = begin_of(event);
  e.duration = event.number("dur", 0, kLongest);
  Reader args = event.object("args");
  e.stream = args.has("stream") ? args.integer("stream", INT64_MIN, INT64_MAX)
                                : optional_integer(event, "tid");
  e.correlation = optional_integer(args, "correlation");
  if (args.has("Process Group Name")) e.group = args.text("Process Group Name");
  if (args.has("Collective name")) e.collective = args.text("Collective name");
  if (e.collective == "send" && args.has("Dst Rank")) {
    e.destination = args.integer("Dst Rank", 0, INT32_MAX);
  }
  if (e.collective == "recv" && args.has("Src Rank")) {
    e.source = args.integer("Src Rank", 0, INT32_MAX);
  }
  events_.device.push_back(std::move(e));
}

void EventReader::read_step(Reader& event, const std::string& name) {
  StepMark mark;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kStepName.size(), end, mark.number);
  if (error != std::errc{} || rest != end) return;
  mark.begin = begin_of(event);
  mark.end = mark.begin + event.number("dur", 0, kLongest);
  events_.steps.push_back(mark);
}

void EventReader::read_wait(Reader& event) {
  Reader args = event.object("args");
  if (!args.has("wait_on_stream")) return;
  StreamWait w;
  w.correlation = optional_integer(args, "correlation");
  w.stream = optional_integer(args, "stream");
  w.on = optional_integer(args, "wait_on_stream");
  w.recorded = optional_integer(args, "wait_on_cuda_event_record_corr_id");
  events_.waits.push_back(w);
}

void EventReader::read_event(Reader& event) {
  if (!event.has("ph") || event.text("ph") != "X" || !event.has("cat")) return;
  const std::string category = event.text("cat");
  const std::string name = event.has("name") ? event.text("name") : std::string();
  if (category == "kernel" || category == "gpu_memcpy" || category == "gpu_memset") {
    read_device(event);
  } else if (category == "cuda_runtime" || category == "cuda_driver") {
    if (!event.has("args")) return;
    Reader args = event.object("args");
    const std::int64_t correlation = optional_integer(args, "correlation");
    if (correlation >= 0) events_.launches.push_back({correlation, begin_of(event)});
  } else if (category == "user_annotation" && name.starts_with(kStepName)) {
    read_step(event, name);
  } else if (category == "cuda_sync" && name == "Stream Wait Event" && event.has("args")) {
    read_wait(event);
  }
}

bool EventReader::read_piece(std::string_view piece, const std::string& place) {
  Problems wrong;
  const JsonDocument document = JsonDocument::parse(piece, wrong);
  Reader object = document.root(wrong);
  if (place == "distributedInfo") {
    if (object.has("rank")) events_.rank = object.integer("rank", 0, INT32_MAX);
  } else if (place.starts_with("traceEvents/")) {
    read_event(object);
  }
  for (const Problem& p : wrong.list()) {
    // A path inside the event, or, of one that is no JSON, a line and column.
    problems_.add(place + (p.where.starts_with('/') ? "" : ", ") + p.where, p.what);
  }
  return problems_.list().size() < kMostProblems;
}

KinetoEvents EventReader::read(std::string_view text) {
  for_each_element(
      text, "traceEvents",
      [this](std::string_view piece, const std::string& place) { return read_piece(piece, place); },
      problems_);
  return std::move(events_);
}

}  // namespace

KinetoEvents read_kineto_events(std::string_view text, Problems& problems) {
  return EventReader(problems).read(text);
}

}  // namespace forerun::replay
