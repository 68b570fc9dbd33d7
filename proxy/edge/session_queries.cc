#include "proxy/edge/session_queries.h"

#include <algorithm>
#include <map>

#include "proxy/observe/admin_json.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

constexpr std::string_view kNone = "there is no such session: it may have ended";

}  // namespace

struct SessionQueries::Listing {
  observe::SessionQuery query;
  Reply reply;
  std::size_t missing = 0;  // workers that have yet to answer
  std::size_t total = 0;
  std::vector<Ranked> page;  // of all first, then what is asked for
  std::map<std::uint64_t, std::string> rows;

  // Those that have ended meanwhile are left out.
  void answer() {
    std::string out = R"({"sessions":[)";
    bool first = true;
    for (const Ranked& one : page) {
      const auto row = rows.find(one.id);
      if (row == rows.end()) continue;
      if (!std::exchange(first, false)) out += ',';
      out += row->second;
    }
    out += R"(],"total":)" + std::to_string(total) + "}\n";
    reply(200, std::move(out));
  }
};

// The number stands in the id (ConnIds).
Worker* SessionQueries::worker_of(std::uint64_t id) const {
  const auto number = std::size_t{ConnIds::worker_of(id)};
  return number < shared_.workers.size() ? shared_.workers[number].get() : nullptr;
}

void SessionQueries::list(const observe::SessionQuery& query, Reply reply) {
  auto listing = std::make_shared<Listing>();
  listing->query = query;
  listing->reply = std::move(reply);
  listing->missing = shared_.workers.size();
  for (const auto& worker : shared_.workers) {
    worker->inspect([this, listing, query](Inspector& inspector) {
      inspector.rank(query, [this, listing](const Ranking& ranking) {
        post_([this, listing, ranking] {
          listing->total += ranking.total;
          listing->page.insert(listing->page.end(), ranking.first.begin(), ranking.first.end());
          if (--listing->missing == 0) show_page(listing);
        });
      });
    });
  }
}

void SessionQueries::show_page(const std::shared_ptr<Listing>& listing) {
  std::vector<Ranked>& page = listing->page;
  std::sort(page.begin(), page.end());
  page.resize(std::min(page.size(), listing->query.offset + listing->query.limit));
  page.erase(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(
                                              std::min(page.size(), listing->query.offset)));
  std::map<Worker*, std::vector<std::uint64_t>> ids;
  for (const Ranked& one : page) ids[worker_of(one.id)].push_back(one.id);
  listing->missing = ids.size();
  if (ids.empty()) return listing->answer();
  for (auto& [worker, own] : ids) {
    worker->inspect([this, listing, own = std::move(own)](Inspector& inspector) {
      inspector.describe(own, [this, listing](const std::vector<Described>& rows) {
        post_([listing, rows] {
          for (const Described& row : rows) listing->rows[row.id] = row.json;
          if (--listing->missing == 0) listing->answer();
        });
      });
    });
  }
}

void SessionQueries::show(std::uint64_t id, Reply reply) {
  Worker* worker = worker_of(id);
  if (worker == nullptr) return reply(404, observe::error_json(kNone));
  worker->inspect([this, id, reply](Inspector& inspector) {
    inspector.describe({id}, [this, reply](const std::vector<Described>& rows) {
      post_([reply, rows] {
        if (rows.empty()) return reply(404, observe::error_json(kNone));
        reply(200, rows.front().json + "\n");
      });
    });
  });
}

void SessionQueries::close(std::uint64_t id, Reply reply) {
  Worker* worker = worker_of(id);
  if (worker == nullptr) return reply(404, observe::error_json(kNone));
  worker->inspect([this, id, reply](Inspector& inspector) {
    inspector.close(id, [this, reply](Inspector::Closed closed) {
      post_([reply, closed] {
        if (closed == Inspector::Closed::yes) return reply(200, "{\"closed\":1}\n");
        if (closed == Inspector::Closed::no_such) return reply(404, observe::error_json(kNone));
        reply(409, observe::error_json("the session is ending already"));
      });
    });
  });
}

void SessionQueries::close_all(const observe::SessionFilter& filter, Reply reply) {
  struct Closing {
    std::size_t missing;
    std::size_t closed = 0;
  };

  auto closing = std::make_shared<Closing>(Closing{shared_.workers.size()});
  for (const auto& worker : shared_.workers) {
    worker->inspect([this, filter, closing, reply](Inspector& inspector) {
      inspector.close(filter, [this, closing, reply](std::size_t count) {
        post_([closing, reply, count] {
          closing->closed += count;
          if (--closing->missing != 0) return;
          observe::log_info("admin: {} sessions closed", closing->closed);
          reply(200, "{\"closed\":" + std::to_string(closing->closed) + "}\n");
        });
      });
    });
  }
}

}  // namespace fairlead::edge
