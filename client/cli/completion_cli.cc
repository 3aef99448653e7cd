#include "client/cli/completion_cli.h"

#include <cstddef>
#include <iostream>
#include <utility>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "client/commands/command.h"
#include "client/completion/completion_script.h"
#include "client/completion/flag_values.h"
#include "common/flag_parser.h"
#include "common/repeated_text.h"

namespace hybridserve {
namespace {

// Without its full stop.
std::string FirstSentence(absl::string_view text) {
  const size_t end = text.find(". ");
  text = text.substr(0, end);
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  return absl::StrReplaceAll(text, {{"\n", " "}});
}

OfferedFlag Offer(const absl::CommandLineFlag& flag) {
  return {.name = absl::StrCat(flag.Name()),
          .help = FirstSentence(flag.Help()),
          .is_switch = flag.IsOfType<bool>(),
          .repeats = flag.IsOfType<RepeatedText>(),
          .values = ValuesOfFlag(flag.Name())};
}

std::vector<OfferedCommand> Offers(absl::Span<const Command> commands) {
  std::vector<OfferedCommand> offers;
  for (const Command& command : commands) {
    OfferedCommand offer = {
        .name = absl::StrCat(command.name),
        .help = FirstSentence(absl::StrReplaceAll(command.help, {{"  ", ""}}))};
    for (const absl::string_view argument : command.arguments) {
      offer.arguments.emplace_back(argument);
    }
    for (const absl::CommandLineFlag* flag : ProjectFlags()) {
      if (TakesFlag(command, *flag)) offer.flags.push_back(Offer(*flag));
    }
    offers.push_back(std::move(offer));
  }
  return offers;
}

}  // namespace

int CompletionMain(absl::Span<const Command> commands,
                   const std::string& shell) {
  const std::vector<OfferedCommand> offers = Offers(commands);
  std::cout << (shell == "bash"  ? BashCompletion(offers)
                : shell == "zsh" ? ZshCompletion(offers)
                                 : FishCompletion(offers))
            << std::flush;
  return kExitDone;
}

}  // namespace hybridserve
