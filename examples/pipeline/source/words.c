#include "words.h"

#include <ctype.h>

unsigned long words(FILE *file) {
    unsigned long count = 0;
    int inside = 0;
    for (int c = getc(file); c != EOF; c = getc(file)) {
        if (isspace(c)) {
            inside = 0;
        } else if (!inside) {
            inside = 1;
            count++;
        }
    }
    return count;
}
