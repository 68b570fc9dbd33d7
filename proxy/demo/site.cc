#include "proxy/demo/site.h"

#include <pthread.h>

#include <csignal>
#include <exception>
#include <thread>
#include <utility>

#include "proxy/demo/chat.h"
#include "proxy/demo/echo.h"
#include "proxy/net/loop.h"
#include "proxy/net/mailbox.h"

namespace fairlead::demo {
namespace {

net::Bound listen_on_loopback() {
  conf::Address address;
  address.ip = conf::Ip::v4(0x7F000001);
  return net::listen_on(address);
}

// Signals are the main thread's: a thread inherits the mask of the one that starts it.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }

  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

struct Site::Inside {
  Inside(net::Bound echo_socket, net::Bound chat_socket, const Limits& limits)
      : echo_bound(std::move(echo_socket)),
        chat_bound(std::move(chat_socket)),
        echo_server(loop, echo_bound.fd.get(), echo, limits),
        chat_server(loop, chat_bound.fd.get(), chat, limits) {
    loop.on_turn_end([this] {
      echo_server.bury();
      chat_server.bury();
    });
  }

  void run() {
    const SignalsBlocked blocked;
    thread = std::thread([this] { loop.run(); });
  }

  void stop() {
    mailbox.post([this] {
      echo_server.shut_down();
      chat_server.shut_down();
      loop.stop();
    });
    thread.join();
  }

  net::Loop loop;
  net::Mailbox mailbox{loop};
  net::Bound echo_bound;
  net::Bound chat_bound;
  Echo echo;
  Chat chat;
  Server echo_server;
  Server chat_server;
  std::thread thread;
};

std::unique_ptr<Site> Site::start(std::string& error, const Limits& limits) {
  net::Bound echo = listen_on_loopback();
  net::Bound chat = listen_on_loopback();
  error = echo.error.empty() ? chat.error : echo.error;
  if (!error.empty()) return nullptr;
  try {  // no event base, no eventfd, no thread: the system is out of something
    auto inside = std::make_unique<Inside>(std::move(echo), std::move(chat), limits);
    inside->run();
    return std::unique_ptr<Site>(new Site(std::move(inside)));
  } catch (const std::exception& problem) {
    error = std::string("cannot start the demo's servers: ") + problem.what();
    return nullptr;
  }
}

Site::Site(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

Site::~Site() {
  inside_->stop();
}

conf::Address Site::echo() const {
  return inside_->echo_bound.address;
}

conf::Address Site::chat() const {
  return inside_->chat_bound.address;
}

}  // namespace fairlead::demo
