#pragma once
// What a process gets from whoever started it, and needs to be followed by another one.

#include <memory>

#include "proxy/edge/predecessor.h"
#include "proxy/edge/service_manager.h"
#include "proxy/net/child.h"
#include "proxy/net/inherited.h"

namespace fairlead::edge {

struct Inheritance {
  net::Program program;  // this one, to be started again; without a path it cannot be
  ServiceManager manager;
  net::Inherited sockets;
  std::unique_ptr<Predecessor> predecessor;  // null: it takes nobody's place

  // Takes it out of the environment. Before any thread is started. `program` without its
  // environment.
  static Inheritance take(net::Program program);

  const Heirloom* heirloom() const { return predecessor ? predecessor->heirloom() : nullptr; }

  // The process ends before it served.
  void failed(std::string_view why) {
    if (predecessor) predecessor->failed(why);
  }
};

}  // namespace fairlead::edge
