"""What weights say of a place: which words excite it, how meaning is laid out, when it answers.

It uses `pipeline.fit`, `pipeline.regions` and `pipeline.maps`. Begin with `write`
(`write_tuning`), which goes through the bands of a model:

    vocabulary   words as points of a band's space
    meaning      weights without their delays, in that space; which voxels may be read
    components   the main axes of the weights, held against those of shifted responses
    timing       when the response to a band peaks
    colours      the RGB map of the first three axes
"""
