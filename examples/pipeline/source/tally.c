/* Prints how many words there are in its input. */
#include "words.h"

int main(void) {
    printf("%lu\n", words(stdin));
    return ferror(stdin) || fflush(stdout) ? 1 : 0;
}
