#include "proxy/edge/binding.h"

namespace fairlead::edge {

using balance::kNoServer;

balance::Preference Binding::find(const wire::RequestHead& head, const rules::Peer& peer,
                                  const rules::Client& client, balance::Clock::time_point now) {
  const bool has_address = !peer.unix_socket || client.ip != conf::Ip{};
  if (pool_.sticky()) by_cookie_ = pool_.sticky()->find(head.fields);
  if (pool_.sids()) {
    by_sid_ = find_sid(head.query, now);
    opening_ = wire::is_opening_poll(head);
  }
  // A server that gives sessions up does not get them back by their cookie. A sid is another thing:
  // it stands for a session that lives there now.
  const bool shed =
      by_cookie_ != kNoServer && pool_.server(by_cookie_).shedding.load(std::memory_order_relaxed);
  return {by_sid_ != kNoServer ? by_sid_ : (shed ? kNoServer : by_cookie_),
          pool_.key_of(head, has_address ? &client.ip : nullptr)};
}

std::size_t Binding::find_sid(std::string_view query, balance::Clock::time_point now) const {
  const std::string_view sid = wire::sid_of(query);
  if (sid.empty()) return kNoServer;
  const auto server = pool_.sids()->use(sid, now);
  return server ? pool_.index_of(*server) : kNoServer;
}

std::string Binding::set_cookie(std::size_t server, bool secure) const {
  if (!pool_.sticky() || server == by_cookie_ || server == by_sid_) return "";
  return pool_.sticky()->set_cookie(server, secure);
}

void Binding::on_answer_head(const wire::ResponseHead& head, bool chunked) {
  if (!opening_ || head.status != 200) return;
  const std::string_view coding = head.fields.get("Content-Encoding");
  if (!coding.empty() && !wire::iequals(coding, "identity")) return;
  reader_ = std::make_unique<wire::SidReader>(chunked);
}

void Binding::on_answer_body(std::string_view bytes, std::size_t server,
                             balance::Clock::time_point now) {
  if (!reader_) return;
  const auto state = reader_->feed(bytes);
  if (state == wire::SidReader::State::more) return;
  if (state == wire::SidReader::State::found) {
    pool_.sids()->learn(reader_->sid(), pool_.server(server).id, now);
  }
  reader_.reset();
}

}  // namespace fairlead::edge
