#include "proxy/net/event_memory.h"

#include <event2/event.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

namespace fairlead::net {
namespace {

// Address space for half a million records; pages of it are used as they are touched. What does not
// fit, in size or number, is malloc's.
constexpr std::size_t kBlock = 32;
constexpr std::size_t kRegion = kBlock * 512 * 1024;

class Blocks {
 public:
  Blocks() {
    void* region = mmap(nullptr, kRegion, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) return;
    begin_ = next_ = static_cast<char*>(region);
    end_ = begin_ + kRegion;
  }

  bool owns(const void* block) const {
    auto at = reinterpret_cast<std::uintptr_t>(block);
    return at >= reinterpret_cast<std::uintptr_t>(begin_) &&
           at < reinterpret_cast<std::uintptr_t>(end_);
  }

  // Null when all are taken.
  void* take() {
    std::lock_guard lock(mutex_);
    if (free_ != nullptr) return std::exchange(free_, *static_cast<void**>(free_));
    if (next_ == end_) return nullptr;
    return std::exchange(next_, next_ + kBlock);
  }

  void give(void* block) {
    std::lock_guard lock(mutex_);
    *static_cast<void**>(block) = std::exchange(free_, block);
  }

 private:
  std::mutex mutex_;  // a record is made once for each descriptor number: hardly ever taken
  char* begin_ = nullptr;
  char* end_ = nullptr;
  char* next_ = nullptr;
  void* free_ = nullptr;
};

// Outlives every event base, those in static objects too.
Blocks& blocks() {
  static auto* const kBlocks = new Blocks;
  return *kBlocks;
}

void* allocate(std::size_t size) {
  void* block = size <= kBlock ? blocks().take() : nullptr;
  return block != nullptr ? block : std::malloc(size);
}

void release(void* block) {
  if (blocks().owns(block)) return blocks().give(block);
  std::free(block);
}

void* reallocate(void* block, std::size_t size) {
  if (!blocks().owns(block)) return std::realloc(block, size);
  if (size <= kBlock) return block;
  void* larger = std::malloc(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, block, kBlock);
  blocks().give(block);
  return larger;
}

}  // namespace

void separate_event_memory() {
  static std::once_flag once;
  std::call_once(once, [] { event_set_mem_functions(allocate, reallocate, release); });
}

}  // namespace fairlead::net
