/* Counting words. */
#ifndef WORDS_H
#define WORDS_H

#include <stdio.h>

/* How many words there are in what is left of a file: runs of anything but white space. */
unsigned long words(FILE *file);

#endif
