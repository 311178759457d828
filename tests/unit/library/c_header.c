/* Compiles convoy.h as C, twice included. */
#include "convoy/convoy.h"
#include "convoy/convoy.h"

int compiles(void);
int compiles(void) {
  convoy_callbacks none = {0, 0, 0, 0};
  return convoy_model_fit(0, 0, 0, &none, 0) == CONVOY_USAGE;
}
