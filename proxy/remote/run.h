#pragma once
// What the commands share: a question, and what is printed of the answer.

#include <functional>
#include <string>

#include "proxy/observe/json_value.h"
#include "proxy/remote/client.h"
#include "proxy/remote/commands.h"

namespace fairlead::remote {

// Asks, and prints what `show` makes of the answer: the answer itself where JSON is wanted. Returns
// the exit code.
int run(const Target& target, Question question,
        const std::function<std::string(const observe::JsonValue&)>& show);

// Say so on stderr, and return the exit code: nothing answers; what answers refuses.
int no_answer(const Target& target, const std::string& why);
int refused(const Reply& reply);

// A part of the API's paths.
std::string encoded(std::string_view text);

}  // namespace fairlead::remote
