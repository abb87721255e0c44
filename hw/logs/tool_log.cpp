#include "hw/logs/tool_log.h"

namespace forerun::hw {

std::string text(const LogPlace& place) { return place.file + ":" + place.where; }

std::string_view name(CopyPath path) {
  switch (path) {
    case CopyPath::local:
      return "copy in device memory";
    case CopyPath::peer:
      return "copy between two accelerators";
    case CopyPath::host_to_device:
      return "copy from the host";
    case CopyPath::device_to_host:
      return "copy to the host";
  }
  return {};
}

}  // namespace forerun::hw
