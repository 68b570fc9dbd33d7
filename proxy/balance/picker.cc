#include "proxy/balance/picker.h"

#include "proxy/balance/hash.h"
#include "proxy/balance/least_connections.h"
#include "proxy/balance/random_two.h"
#include "proxy/balance/round_robin.h"

namespace fairlead::balance {

std::unique_ptr<Picker> make_picker(conf::Backend::Balance balance) {
  switch (balance) {
    case conf::Backend::Balance::least_connections:
      return std::make_unique<LeastConnections>();
    case conf::Backend::Balance::round_robin:
      return std::make_unique<RoundRobin>();
    case conf::Backend::Balance::random_two:
      return std::make_unique<RandomTwo>();
    case conf::Backend::Balance::hash:
      return std::make_unique<Hash>();
  }
  return nullptr;
}

}  // namespace fairlead::balance
