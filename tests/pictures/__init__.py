"""Pictures of digits as people make them, drawn from MNIST's images, and pictures of what is no digit.

A kind is a function of a digit's ink and a random generator; the same seed draws the same picture. Pen, size,
place, colours, angle and light are drawn anew for each picture, so that a kind is many pictures and not one.
"""
