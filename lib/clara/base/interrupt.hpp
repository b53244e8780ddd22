// SIGINT and SIGTERM set a flag; the Executor looks at it between actions and undoes what it did.
#pragma once

namespace clara {

/// Install the handlers (once, by the tool's main).
void catch_interrupts();
/// 0, or the signal that arrived.
int interrupted();
/// Throws Error{interrupted|terminated} where a signal has arrived.
void throw_if_interrupted();

}  // namespace clara
